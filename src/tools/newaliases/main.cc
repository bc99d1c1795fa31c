// newaliases: rebuilds the alias databases.
#include "tools/postmap/run.h"

int main(int argc, char** argv) {
  return postrider::postmap::run_newaliases(argc, argv);
}

// postmap: builds and queries lookup tables.
#include "tools/postmap/run.h"

int main(int argc, char** argv) {
  return postrider::postmap::run(postrider::postmap::Command::postmap, argc, argv);
}

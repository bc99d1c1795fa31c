// postalias: builds and queries alias databases.
#include "tools/postmap/run.h"

int main(int argc, char** argv) {
  return postrider::postmap::run(postrider::postmap::Command::postalias, argc, argv);
}

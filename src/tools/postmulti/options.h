// The command line of postmulti.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace postrider::postmulti {

enum class Mode : unsigned char { list, wrap, execute, edit };
enum class EditAction : unsigned char { init, create, import, destroy, deport, enable, disable, assign };
std::string_view name_of(EditAction action);

/// Which instances: -a, -g, -i.
struct Selection {
  enum class Kind : unsigned char { unset, all, group, name };
  Kind kind = Kind::unset;
  std::string text;
};

struct Options {
  Mode mode = Mode::list;
  EditAction action = EditAction::init;
  Selection selection;
  std::optional<std::string> new_group, new_name;  ///< -G and -I.
  bool reverse = false;                            ///< -R
  int verbose = 0;
  std::vector<std::string> words;  ///< The command of -p and -x; the settings of -e.
};

/// Errors are what postmulti says behind "fatal: ".
Result<Options> parse_options(int argc, char** argv);

}  // namespace postrider::postmulti

// The commands of postfix(1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "tools/postfix/queue_tree.h"

namespace postrider::postfix {

class Control {
 public:
  Control(config::Config config, Identities ids);

  /// Carries out a command; the result is the exit status.
  int run(std::string_view command, const std::vector<std::string>& arguments);

 private:
  int start(bool foreground);
  int stop();
  /// stop(), and the next start goes without checks, whether something ran or not.
  int quick_stop();
  int abort();
  int reload();
  int flush();
  int check();
  int status();
  int rotate_log();

  std::optional<pid_t> master_pid() const;
  int not_running() const;
  bool check_before_start();
  bool wait_for_end() const;

  config::Config config_;
  Identities ids_;
  std::string name_;  ///< mail_name
};

}  // namespace postrider::postfix

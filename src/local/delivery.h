// One recipient of a message: what its name stands for, and delivery there.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "clients/cleanup.h"
#include "clients/rewrite.h"
#include "config/config.h"
#include "delivery/agent.h"
#include "delivery/pass.h"
#include "delivery/report.h"
#include "local/account.h"
#include "local/biff.h"
#include "local/destination.h"
#include "local/resubmission.h"
#include "local/scope.h"
#include "local/settings.h"
#include "local/text_file.h"
#include "mailbox/copy.h"
#include "mailbox/delivered_to.h"
#include "mailbox/runner.h"

namespace postrider::local {

/// What the deliveries of a process share.
struct Agent {
  Agent(const config::Config& c, const std::string& service, bool rootless)
      : config(c),
        settings(c, service, rootless),
        tables(c),
        rewrite(c, service),
        cleanup(c, cleanup_service(c), service),
        reporter(c, service) {
    reporter.filter_with(tables.status_filter);
  }
  static std::string cleanup_service(const config::Config& config);

  const config::Config& config;
  Settings settings;
  Tables tables;
  Accounts accounts;
  clients::RewriteClient rewrite;
  clients::CleanupClient cleanup;
  delivery::Reporter reporter;
  std::unique_ptr<mailbox::Runner> runner;  ///< Runs commands; must be set.
  Biff biff;
};

/// Delivery for one recipient of a request. Expansion of aliases and files is a stack of lists that are
/// worked off one address after the other: input cannot drive it into recursion.
class Delivery {
 public:
  using Disposition = delivery::Disposition;

  Delivery(Agent& agent, delivery::Job& job, const mailbox::DeliveredTo& loops, delivery::Handover& handover)
      : agent_(agent),
        settings_(agent.settings),
        job_(job),
        loops_(loops),
        handover_(handover),
        resubmission_(agent.settings, agent.cleanup, job) {}

  /// Reports everything that was done for the recipient, but does not mark it in the queue file.
  Disposition run(const proto::DeliveryRecipient& recipient);
  /// The queue file is damaged: nothing was reported since that came out.
  bool damaged() const { return damaged_; }

 private:
  /// Nothing: this way does not lead anywhere for the recipient, try the next.
  using Attempt = std::optional<Disposition>;

  /// A list that is being worked off.
  struct Frame {
    enum class Kind : unsigned char { alias, forward_file, include, relay };
    Kind kind = Kind::alias;
    Scope scope;                    ///< For the addresses of the list.
    std::vector<Destination> list;  ///< Of the alias, or of the current line of `file`.
    size_t next = 0;
    std::optional<TextFile> file;
    size_t count = 0;       ///< Addresses so far.
    bool deferred = false;  ///< Something of the list has to be tried again.
    Scope before;           ///< What was expanded.
    std::string name;       ///< The alias, or the path of the file.
  };

  Disposition work_off();
  Result<bool> next_line(Frame& frame);
  Disposition finish(Frame frame);
  Disposition finish_resubmission(const Scope& first);

  Disposition deliver(Scope scope);
  Disposition deliver_by_name(Scope scope);
  Disposition deliver_to(Scope scope, const Destination& destination);
  Disposition deliver_address(Scope scope, const std::string& external);
  Disposition send_on(Scope scope);
  /// Mail for a list that comes back, and commands and files of a list that fail, are the affair of its
  /// owner: whoever wrote the message can do nothing about them.
  Disposition report_to_owner(const Scope& scope, const mail::DeliveryStatus& status);

  // alias.cc
  Attempt expand_alias(Scope scope, const std::string& name);
  Attempt expand_found_alias(Scope scope, const std::string& name, const table::Table& table,
                             std::string value);
  std::optional<Disposition> take_rights_of_owner(Scope& scope, const table::Table& table);
  Result<std::optional<std::string>> list_owner(std::string_view name);
  Disposition finish_alias(const Frame& frame);

  // forward_file.cc
  Attempt expand_forward_file(Scope scope);
  Attempt read_forward_file(Scope scope, const std::string& path, const struct stat& status);
  std::optional<std::string> find_forward_file(Scope& scope, struct stat& status);
  Disposition finish_forward_file(Frame frame);

  // include.cc
  Disposition expand_include(Scope scope, const std::string& path);

  // mailbox.cc
  Attempt deliver_to_mailbox(Scope scope);
  Disposition deliver_as_user(const Scope& scope);
  Disposition append_to_mailbox(const Scope& scope);
  Disposition deliver_to_maildir(const Scope& scope, const std::string& path, mailbox::Identity as);

  // file.cc
  Disposition deliver_to_file(const Scope& scope, const std::string& path);
  Disposition deliver_to_home_file(const Scope& scope, const std::string& path);
  Disposition deliver_to_command(const Scope& scope, const std::string& command);  // command.cc
  // unknown.cc
  Disposition deliver_unknown(const Scope& scope);
  Attempt relay_unknown(Scope scope);
  Disposition pass_on(const Scope& scope, const std::string& destination);  // pass_on.cc

  /// The result of a table that is asked for the user's name: a destination, or how the failure was reported.
  std::optional<std::string> transport_for(const Scope& scope, const table::Maps& maps,
                                           const std::string& otherwise, std::optional<Disposition>& failed);

  /// sent, bounced or deferred by the class of the code.
  Disposition report(const Scope& scope, const mail::DeliveryStatus& status);
  Disposition report(const Scope& scope, mail::StatusCode code, std::string reason);
  /// Nothing shall be delivered: somebody only wants to know what would happen.
  bool verify_only() const;
  /// The mail system asks whether the recipient exists: nothing is expanded.
  bool is_probe() const;
  /// NOTIFY for what a recipient expands to: who wants to hear of success is told of the expansion.
  static unsigned without_success(unsigned notify);
  /// Whether this key is new to this recipient.
  bool first_time(std::string key);

  delivery::MessageRef message_ref() const { return delivery::MessageRef::of(job_.request, nullptr); }
  delivery::Attempt attempt() const { return {.relay = settings_.service}; }
  mailbox::Message message_for(const Scope& scope);
  /// Whose rights a delivery to a file or command uses.
  mailbox::Identity identity(const Rights& rights) const;
  /// The user's own, also when that is root.
  mailbox::Identity user_identity(const Rights& rights) const;
  Deadline deadline() const { return Deadline::after(settings_.ipc_timeout); }

  Agent& agent_;
  const Settings& settings_;
  delivery::Job& job_;
  const mailbox::DeliveredTo& loops_;
  delivery::Handover& handover_;
  Resubmission resubmission_;
  std::vector<Frame> frames_;
  std::unordered_set<std::string> seen_;
  bool damaged_ = false;
};

}  // namespace postrider::local

// What becomes of an address: standard form, canonical mapping, masquerading, virtual alias expansion.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "cleanup/settings.h"
#include "clients/rewrite.h"
#include "rewrite/local_domains.h"
#include "table/address_find.h"

namespace postrider::cleanup {

/// In which role an address stands; decides which maps apply.
enum class Role : unsigned char { envelope_sender, envelope_recipient, header_sender, header_recipient };

/// The tables of this service, opened once per process.
struct Tables {
  explicit Tables(const config::Config& config);

  table::Catalog catalog;
  std::vector<std::string> paths;  ///< Everything that must stay reachable in the sandbox.
  table::Maps canonical, sender_canonical, recipient_canonical, virtual_alias;
  rewrite::LocalDomains local_domains;
};

/// A mapping that cannot be done now or at all. The text is the log line, after the queue id.
struct MappingError {
  std::string log_text;
  std::string reason;  ///< "4.6.0 Alias expansion error", or empty.
};
template <typename T>
using Mapped = std::expected<T, MappingError>;

class AddressMapper {
 public:
  AddressMapper(const Settings& settings, const Tables& tables);

  /// One address to one: standard form in `context` ("local", "remote"), canonical maps, masquerading. Addresses
  /// are in internal form. The empty address stays as it is. `use_maps` off: standard form only.
  Mapped<std::string> map(std::string_view address, Role role, std::string_view context, bool use_maps,
                          Deadline deadline);

  /// virtual_alias_maps, again and again until an address is not found or is its own alias. At least one result.
  Mapped<std::vector<std::string>> expand(std::string_view address, Deadline deadline);

  /// A list of addresses as tables have them on the right-hand side, in standard form.
  Mapped<std::vector<std::string>> parse_list(std::string_view text, Deadline deadline);

  clients::RewriteClient& rewrite() { return rewrite_; }

 private:
  Mapped<std::string> map_once_each(std::string address, const table::Maps& maps, Deadline deadline);
  Mapped<std::vector<std::string>> look_up(const table::Maps& maps, const std::string& address, bool propagate,
                                           Deadline deadline);
  bool masquerade(std::string& address) const;
  table::AddressContext context() const;
  Result<bool> is_local(std::string_view domain, Deadline deadline) const;

  const Settings& settings_;
  const Tables& tables_;
  clients::RewriteClient rewrite_;
};

}  // namespace postrider::cleanup

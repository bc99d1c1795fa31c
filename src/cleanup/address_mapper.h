// What becomes of an address: standard form, canonical mapping, masquerading, virtual alias expansion.
//
// Addresses are in internal form unless said otherwise. What cannot be done is logged and noted in the
// message's state, and the address stays as it was.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cleanup/message_state.h"
#include "cleanup/tables.h"
#include "clients/rewrite.h"
#include "table/address_find.h"

namespace postrider::cleanup {

/// In which role an address stands; decides which maps apply.
enum class Role : unsigned char { envelope_sender, envelope_recipient, header_sender, header_recipient };

class AddressMapper {
 public:
  AddressMapper(const Settings& settings, const Tables& tables);
  AddressMapper(const AddressMapper&) = delete;
  AddressMapper& operator=(const AddressMapper&) = delete;

  /// Envelope addresses, completed with this system's domain.
  std::string standard_form(MessageState& state, std::string_view address);
  /// Addresses in external form to standard form in external form, for a context of headers ("local",
  /// "remote"). Nothing when that cannot be done.
  std::optional<std::vector<std::string>> standard_forms(MessageState& state, std::string_view context,
                                                         const std::vector<std::string>& addresses);
  /// Learns the standard forms of envelope addresses that will be asked for, all at once.
  void prefetch(MessageState& state, const std::vector<std::string_view>& addresses);

  /// Whether map() does anything for this role.
  bool maps(Role role) const;
  /// Canonical maps and masquerading, for an address in standard form.
  std::string map(MessageState& state, std::string address, Role role);

  bool has_aliases() const { return !tables_.virtual_alias.empty(); }
  /// virtual_alias_maps, again and again until an address is not found or is its own alias. At least one
  /// result.
  std::vector<std::string> expand(MessageState& state, const std::string& address);

  /// What sender_bcc_maps or recipient_bcc_maps say; empty: nothing.
  std::string find_bcc(MessageState& state, const table::Maps& maps, std::string_view address);

  const Tables& tables() const { return tables_; }

 private:
  /// Nothing: the maps do not have the address, or do not answer (then the state says so).
  std::vector<std::string> look_up(MessageState& state, const table::Maps& maps, const std::string& address,
                                   bool propagate);
  void canonicalize(MessageState& state, const table::Maps& maps, std::string& address);
  void masquerade(MessageState& state, std::string& address);
  void lookup_problem(MessageState& state, const table::Maps& maps, std::string_view address);
  std::vector<std::string> unreasonable(MessageState& state, std::string_view what, std::string_view address,
                                        const std::string& keep);

  const Settings& settings_;
  const Tables& tables_;
  clients::RewriteClient rewrite_;
  table::AddressContext context_, bcc_context_;
};

}  // namespace postrider::cleanup

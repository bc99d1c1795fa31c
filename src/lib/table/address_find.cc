#include "table/address_find.h"

namespace postrider::table {

namespace {

/// One search: the address in its parts, and how to ask for keys made of them.
class Search {
 public:
  using Answer = Result<std::optional<Maps::Found>>;

  Search(const Maps& maps, std::string_view address, const AddressContext& context, Deadline deadline)
      : maps_(maps), context_(context), deadline_(deadline) {
    size_t at = address.rfind('@');
    localpart_ = address.substr(0, at);
    if (at != std::string_view::npos) domain_ = address.substr(at + 1);
  }

  const std::optional<std::string_view>& domain() const { return domain_; }
  std::string_view localpart() const { return localpart_; }

  Answer ask(const std::string& key, Where where, bool localpart) const {
    if (context_.key_form) {
      const auto& make_form =
          localpart && context_.localpart_form ? context_.localpart_form : context_.key_form;
      const std::string form = make_form(key);
      auto found = TRY(maps_.find(form, where, deadline_));
      if (found || form == key || !context_.as_is_too) return found;
    }
    return maps_.find(key, where, deadline_);
  }

  /// The domain, and its parents if asked for.
  Answer ask_for_domain(AddressSearch::Parents parents) const {
    for (std::string_view name = *domain_; !name.empty();) {
      auto found = TRY(maps_.find(name, Where::fixed_keys, deadline_));
      size_t dot = name.find('.', 1);
      if (found || parents == AddressSearch::Parents::none || dot == std::string_view::npos) return found;
      name.remove_prefix(parents == AddressSearch::Parents::with_dot ? dot : dot + 1);
    }
    return std::nullopt;
  }

  Result<bool> domain_is_local() const {
    if (!domain_ || !context_.is_local) return false;
    return context_.is_local(*domain_, deadline_);
  }

 private:
  const Maps& maps_;
  const AddressContext& context_;
  Deadline deadline_;
  std::string_view localpart_;
  std::optional<std::string_view> domain_;
};

std::string concatenate(std::string_view a, std::string_view b) {
  return std::string(a) += b;
}

}  // namespace

Result<std::optional<AddressMatch>> find_address(const Maps& maps, std::string_view address,
                                                 const AddressSearch& search, const AddressContext& context,
                                                 Deadline deadline) {
  Search in(maps, address, context, deadline);
  std::optional<mail::ExtendedLocalpart> split;
  if (search.without_extension) split = mail::split_extension(in.localpart(), context.extensions);

  std::optional<Maps::Found> found;
  std::string_view left_out;
  // The localpart, then the localpart without its extension, with `suffix` behind it.
  auto try_localparts = [&](std::string_view suffix, bool whole, Where where_whole) -> Result<void> {
    const bool localpart = suffix.empty();
    if (whole) found = TRY(in.ask(concatenate(in.localpart(), suffix), where_whole, localpart));
    if (found || !split) return {};
    found = TRY(in.ask(concatenate(split->user, suffix), Where::fixed_keys, localpart));
    if (found) left_out = in.localpart().substr(split->user.size());
    return {};
  };

  std::string at_domain = in.domain() ? concatenate("@", *in.domain()) : std::string();
  TRY(try_localparts(at_domain, search.full, Where::all));
  if (!found && (search.localpart_if_local || search.localpart_at_if_local) && TRY(in.domain_is_local())) {
    if (search.localpart_if_local) TRY(try_localparts("", true, Where::fixed_keys));
    if (!found && search.localpart_at_if_local) TRY(try_localparts("@", true, Where::fixed_keys));
  }
  if (!found && search.at_domain && in.domain()) found = TRY(maps.find(at_domain, Where::fixed_keys, deadline));
  if (!found && search.domain && in.domain()) found = TRY(in.ask_for_domain(search.parents));
  if (!found && search.localpart_at && in.domain()) TRY(try_localparts("@", true, Where::fixed_keys));

  if (!found) return std::nullopt;
  return AddressMatch{std::move(found->value), std::move(found->origin), std::string(left_out)};
}

}  // namespace postrider::table

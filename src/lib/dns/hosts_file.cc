#include "dns/hosts_file.h"

namespace postrider::dns {

namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string bytes_of(const sys::Address& address) {
  return {reinterpret_cast<const char*>(address.bytes().data()), address.bytes().size()};
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, line.find('#'));
}

}  // namespace

HostsFile HostsFile::parse(std::string_view text) {
  HostsFile out;
  for (std::string_view line : split_each(text, '\n')) {
    std::string_view rest = without_comment(line);
    auto first = next_token(rest, kBlanks);
    auto address = first ? sys::Address::from_ip(*first) : std::nullopt;
    if (!address) continue;
    while (auto name = next_token(rest, kBlanks)) {
      out.by_address_.try_emplace(bytes_of(*address), *name);
      out.by_name_[lowercase(*name)].push_back(*address);
    }
  }
  return out;
}

std::vector<sys::Address> HostsFile::addresses(std::string_view name) const {
  auto found = by_name_.find(lowercase(name));
  return found == by_name_.end() ? std::vector<sys::Address>() : found->second;
}

std::optional<std::string> HostsFile::name(const sys::Address& address) const {
  auto found = by_address_.find(bytes_of(address));
  if (found == by_address_.end()) return std::nullopt;
  return found->second;
}

HostSources parse_host_sources(std::string_view nsswitch) {
  for (std::string_view line : split_each(nsswitch, '\n')) {
    std::string_view rest = trim(without_comment(line));
    if (!rest.starts_with("hosts:")) continue;
    rest.remove_prefix(6);
    HostSources sources;
    while (auto source = next_token(rest, kBlanks)) {
      if (*source == "files" && !sources.dns) {
        sources.files = true;
      } else if (*source == "dns") {
        sources.dns = true;
      } else {
        sources.native = true;
      }
    }
    return sources;
  }
  return {.files = true, .dns = true};
}

}  // namespace postrider::dns

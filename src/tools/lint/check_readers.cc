// "-o name=value" on a service whose program does not read the parameter.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "config/macro.h"
#include "config/table.h"
#include "tools/lint/checks.h"

namespace postrider::lint {

namespace {

struct Reader {
  std::string_view program, names;
};

constexpr Reader kReaders[] = {
#define READER(program, names) {program, names},
#include "tools/lint/readers.inc"
#undef READER
};

bool is_command(std::string_view program) {
  return program == "sendmail" || program == "postqueue" || program == "postmulti" || program == "postfix";
}

/// smtp reads all of smtp_..., and lmtp all of lmtp_...
bool reads(const Reader& reader, std::string_view name) {
  if (reader.program == "smtp" && name.starts_with("smtp_")) return true;
  if (reader.program == "lmtp" && name.starts_with("lmtp_")) return true;
  auto names = split_any(reader.names, " ");
  return std::ranges::find(names, name) != names.end();
}

const Reader* find_reader(std::string_view program) {
  if (program == "relay") program = "smtp";
  if (program == "error" || program == "discard" || program == "nqmgr") return nullptr;
  auto found = std::ranges::find(kReaders, program, &Reader::program);
  return found == std::end(kReaders) ? nullptr : found;
}

/// Whether something that the program reads refers to the name.
bool is_referred_to(const Reader& reader, const Service& service, std::string_view name) {
  std::set<std::string, std::less<>> seen;
  std::vector<std::string> open;
  for (const config::ParamInfo* info : config::all_params())
    if (reads(reader, info->name)) open.emplace_back(info->name);
  for (const Override& override_ : service.overrides)
    open.push_back(override_.name);
  while (!open.empty()) {
    std::string next = std::move(open.back());
    open.pop_back();
    if (!seen.insert(next).second || (next == "mynetworks" && !service.config.is_set(next))) continue;
    auto text = service.config.text(next);
    if (!text) continue;
    bool found = false;
    (void)config::visit_macros(*text, [&](std::string_view reference) {
      found = found || reference == name;
      open.emplace_back(reference);
    });
    if (found) return true;
  }
  return false;
}

}  // namespace

bool program_reads(std::string_view program, std::string_view parameter) {
  const Reader* reader = find_reader(program);
  if (!reader) return false;
  // What no program has for itself is everybody's.
  bool common = std::ranges::none_of(kReaders, [&](const Reader& other) { return reads(other, parameter); });
  return common || reads(*reader, parameter);
}

void check_readers(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    const Reader* reader = find_reader(service.program);
    if (!reader) continue;
    for (const Override& override_ : service.overrides) {
      std::string_view name = override_.name;
      if (!config::find_param(name) || reads(*reader, name)) continue;
      std::vector<std::string> others;
      for (const Reader& other : kReaders)
        if (reads(other, name)) others.emplace_back(other.program);
      if (others.empty() || is_referred_to(*reader, service, name)) continue;
      report.add(codes::wrong_service, model.place(name, &service),
                 fmt::format("{} has no effect on the service {}: {} does not read it", name,
                             service.entry.id(), service.program),
                 is_command(others.front())
                     ? fmt::format("set it in main.cf, which {} reads", join(others, ", "))
                     : fmt::format("set it for {}, or remove the option", join(others, ", ")));
    }
  }
}

}  // namespace postrider::lint

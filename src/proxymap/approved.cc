#include "proxymap/approved.h"

#include "base/text.h"
#include "config/params/smtpd_access.h"
#include "log/log.h"
#include "sys/file.h"

namespace postrider::proxymap {

namespace params = config::params;

namespace {

constexpr std::string_view kProxy = "proxy:";
constexpr int kMaxDepth = 10;
constexpr size_t kMaxFile = 16 * 1024 * 1024;

}  // namespace

Approved::Approved(const config::Config& config, std::string_view list) : config_(config) {
  std::string classes = config.get(params::smtpd_restriction_classes);
  for (std::string_view name : split_any(classes, kListSeparators))
    classes_.emplace(name);
  add(list, 0);
}

void Approved::add(std::string_view list, int depth) {
  if (depth > kMaxDepth) return;
  for (std::string_view word : split_braced(list, kListSeparators)) {
    while (word.starts_with('!'))
      word.remove_prefix(1);
    if (word.starts_with(kProxy)) {
      while (word.starts_with(kProxy))
        word.remove_prefix(kProxy.size());
      if (word.find(':') != word.npos) tables_.emplace(word);
    } else if (word.starts_with('/')) {
      add_file(std::string(word), depth);
    } else if (classes_.contains(word)) {
      add_class(word, depth);
    }
  }
}

void Approved::add_file(const std::string& path, int depth) {
  if (!seen_.insert(path).second) return;
  // Where such a list is used, its absence is reported.
  auto text = sys::read_file(path, kMaxFile);
  if (!text) return;
  for (std::string_view line : split_each(*text, '\n')) {
    if (!line.starts_with('#')) add(line, depth + 1);
  }
}

void Approved::add_class(std::string_view name, int depth) {
  if (!seen_.emplace(name).second) return;
  auto value = config_.value(name);
  if (value && *value) add(**value, depth + 1);
}

}  // namespace postrider::proxymap

#include "tls/level.h"

#include "base/text.h"
#include "log/log.h"

namespace postrider::tls {

namespace {

constexpr struct {
  std::string_view name;
  Level level;
} kLevels[] = {
    {"none", Level::none},           {"may", Level::may},
    {"encrypt", Level::encrypt},     {"fingerprint", Level::fingerprint},
    {"halfdane", Level::half_dane},  {"dane", Level::dane},
    {"dane-only", Level::dane_only}, {"verify", Level::verify},
    {"secure", Level::secure},
};

}  // namespace

std::optional<Level> parse_level(std::string_view word) {
  for (const auto& known : kLevels) {
    if (known.level != Level::half_dane && equals_ignore_case(known.name, word)) return known.level;
  }
  return std::nullopt;
}

std::string_view level_name(Level level) {
  for (const auto& known : kLevels) {
    if (known.level == level) return known.name;
  }
  return {};
}

Level server_level(std::string_view parameter, std::string_view word, bool enforce, bool use) {
  if (word.empty()) return enforce ? Level::encrypt : use ? Level::may : Level::none;
  Level level = parse_level(word).value_or(Level::encrypt);
  if (level <= Level::encrypt) return level;
  // A server knows no names that a client's certificate should have.
  log::warning("{}: unsupported TLS level \"{}\", using \"encrypt\"", parameter, word);
  return Level::encrypt;
}

}  // namespace postrider::tls

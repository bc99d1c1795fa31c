#include "base/time_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace postrider {

namespace {

constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Names of days and months must not follow the locale.
const char* day_name(const tm& t) {
  return kDays[static_cast<size_t>(t.tm_wday) % 7];
}
const char* month_name(const tm& t) {
  return kMonths[static_cast<size_t>(t.tm_mon) % 12];
}

}  // namespace

std::string mail_date(time_t when) {
  tm t{};
  localtime_r(&when, &t);
  long minutes = t.tm_gmtoff / 60;
  char sign = minutes < 0 ? '-' : '+';
  minutes = std::abs(minutes);
  std::array<char, 80> out;
  int length = snprintf(out.data(), out.size(), "%s, %02d %s %d %02d:%02d:%02d %c%02ld%02ld (%s)",
                        day_name(t), t.tm_mday, month_name(t), t.tm_year + 1900, t.tm_hour, t.tm_min,
                        t.tm_sec, sign, minutes / 60, minutes % 60, t.tm_zone ? t.tm_zone : "UTC");
  return std::string(out.data(), static_cast<size_t>(length));
}

std::string asctime_date(time_t when) {
  tm t{};
  localtime_r(&when, &t);
  std::array<char, 64> out;
  int length = snprintf(out.data(), out.size(), "%s %s %2d %02d:%02d:%02d %d", day_name(t), month_name(t),
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year + 1900);
  return std::string(out.data(), static_cast<size_t>(length));
}

std::string short_date(time_t when) {
  tm t{};
  localtime_r(&when, &t);
  std::array<char, 64> out;
  int length = snprintf(out.data(), out.size(), "%s %02d %02d:%02d:%02d", month_name(t), t.tm_mday, t.tm_hour,
                        t.tm_min, t.tm_sec);
  return std::string(out.data(), static_cast<size_t>(length));
}

std::string compact_time(time_t when) {
  tm t{};
  gmtime_r(&when, &t);
  std::array<char, 64> out;
  int length = snprintf(out.data(), out.size(), "%04d%02d%02d%02d%02d%02d", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
  return std::string(out.data(), static_cast<size_t>(length));
}

std::string delay_text(int64_t microseconds, int resolution_digits) {
  constexpr int kSignificant = 2;
  if (microseconds < 0) microseconds = 0;
  // The unit of the last digit shown: 1 s at most, 10^-resolution_digits s at least.
  int64_t unit = 1'000'000;
  int decimals = 0;
  int64_t scale = 1;
  for (int i = 1; i < kSignificant; ++i)
    scale *= 10;
  while (decimals < resolution_digits && decimals < 6 && microseconds < unit * scale) {
    unit /= 10;
    ++decimals;
  }
  int64_t count = (microseconds + unit / 2) / unit;
  int64_t whole = 1'000'000 / unit;
  std::array<char, 48> out;
  int length = decimals == 0
                   ? snprintf(out.data(), out.size(), "%lld", static_cast<long long>(count))
                   : snprintf(out.data(), out.size(), "%lld.%0*lld", static_cast<long long>(count / whole),
                              decimals, static_cast<long long>(count % whole));
  std::string_view text(out.data(), static_cast<size_t>(length));
  if (decimals > 0) {
    while (text.ends_with('0'))
      text.remove_suffix(1);
    if (text.ends_with('.')) text.remove_suffix(1);
  }
  return std::string(text);
}

}  // namespace postrider

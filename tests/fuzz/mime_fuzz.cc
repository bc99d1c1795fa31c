// Whole messages through the MIME parser.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "mail/mime.h"

using namespace postrider;
using namespace postrider::mail;

namespace {

void check(bool good) {
  if (!good) abort();
}

/// Checks that the parser hands on what it was given: all lines, in order. It may remove blanks in front of a
/// header's colon, and add an empty line where a header lacks it.
class Follower : public MimeSink {
 public:
  explicit Follower(std::vector<std::string_view> lines) : lines_(std::move(lines)) {}

  void header(HeaderClass, const HeaderInfo*, std::string_view text) override {
    bool first = true;
    for (std::string_view line : split_each(text, '\n')) {
      std::string given(take());
      if (first) {
        size_t name = header_name_length(given);
        check(name != 0);
        given.erase(name, given.find(':', name) - name);
      }
      check(line == given);
      first = false;
    }
  }
  void header_end() override { check(!ended_++); }
  void body(std::string_view text, LineEnd, size_t) override {
    check(ended_ == 1);
    bool added = !seen_body_ && text.empty() && (at_ == lines_.size() || !lines_[at_].empty());
    seen_body_ = true;
    if (!added) check(text == take());
  }
  void message_end() override { check(ended_ == 1 && at_ == lines_.size()); }

 private:
  std::string_view take() {
    check(at_ < lines_.size());
    return lines_[at_++];
  }

  std::vector<std::string_view> lines_;
  size_t at_ = 0;
  int ended_ = 0;
  bool seen_body_ = false;
};

/// Counts what it gets.
class Counter : public MimeSink {
 public:
  void header(HeaderClass, const HeaderInfo*, std::string_view) override { ++events_; }
  void header_end() override { ++events_; }
  void body(std::string_view, LineEnd, size_t) override { ++events_; }
  void problem(MimeProblem problem, std::string_view) override {
    check(!problems_.has(problem));
    problems_.add(problem);
  }

 private:
  size_t events_ = 0;
  MimeProblems problems_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const unsigned mode = data[0];
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto lines = split_each(text, '\n');

  Follower follower(lines);
  MimeParser plain({.parse_mime = (mode & 1) == 0, .header_size_limit = static_cast<size_t>(-1)}, follower);
  for (std::string_view line : lines)
    plain.line(line);
  plain.finish();

  Counter counter;
  MimeParser strict({.downgrade = (mode & 2) != 0,
                     .report_nesting = true,
                     .report_long_header = true,
                     .report_eight_bit_header = true,
                     .report_eight_bit_body = true,
                     .report_encoding_domain = true,
                     .report_non_empty_end = true,
                     .header_size_limit = 30,
                     .boundary_length_limit = 5,
                     .nesting_limit = 2},
                    counter);
  for (std::string_view line : lines) {
    const size_t half = line.size() / 2;
    if ((mode & 4) != 0) strict.line(line.substr(0, half), LineEnd::later);
    strict.line((mode & 4) != 0 ? line.substr(half) : line);
  }
  strict.finish();
  return 0;
}

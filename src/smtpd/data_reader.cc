#include "smtpd/data_reader.h"

#include <algorithm>
#include <utility>

namespace postrider::smtpd {

using queue::RecordType;

namespace {

/// What is left of a line of which the last carriage return has been removed: it may have had more.
std::string_view without_carriage_returns(std::string_view text) {
  while (text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

DataReader::Step DataReader::next(const io::Line& line) {
  bool bare = line.end == io::LineEnd::lf;
  bool complete = line.end != io::LineEnd::partial;
  if (bare) saw_bare_lf_ = true;
  record_.type = complete ? RecordType::text : RecordType::text_part;
  record_.text = line.text;
  if (mode_ == BareLf::accept && complete) record_.text = without_carriage_returns(record_.text);
  bool starts_line = std::exchange(at_start_, complete);
  bool after_bare_lf = complete ? std::exchange(after_bare_lf_, bare) : after_bare_lf_;
  if (!starts_line || !record_.text.starts_with('.')) return Step::record;
  record_.text.remove_prefix(1);
  if (!record_.text.empty() || !complete) return Step::record;
  return mode_ != BareLf::accept && (bare || after_bare_lf) ? Step::ignored : Step::end;
}

bool ChunkReader::next(std::string_view& input) {
  line_.erase(0, std::exchange(taken_, 0));
  while (!input.empty()) {
    size_t count = std::min({input.find('\n'), input.size(), line_limit_ - line_.size()});
    line_ += input.substr(0, count);
    input.remove_prefix(count);
    // A carriage return in the last place may be the beginning of the line's end.
    bool full = line_.size() == line_limit_, may_end = !full || line_.ends_with('\r');
    if (may_end && input.starts_with('\n')) {
      input.remove_prefix(1);
      end_line();
      return true;
    }
    if (full && (!may_end || !input.empty())) {
      taken_ = line_limit_;
      record_ = {RecordType::text_part, line_};
      in_line_ = true;
      return true;
    }
  }
  return false;
}

void ChunkReader::end_line() {
  bool bare = !line_.ends_with('\r');
  if (bare) saw_bare_lf_ = true;
  taken_ = line_.size();
  in_line_ = false;
  record_ = {RecordType::text, line_};
  if (!bare) record_.text.remove_suffix(1);
  if (mode_ == BareLf::accept) record_.text = without_carriage_returns(record_.text);
}

bool ChunkReader::finish() {
  line_.erase(0, std::exchange(taken_, 0));
  // A line of which all has been handed on in pieces still lacks its end.
  if (line_.empty() && !in_line_) return false;
  in_line_ = false;
  record_ = {RecordType::text, line_};
  taken_ = line_.size();
  return true;
}

}  // namespace postrider::smtpd

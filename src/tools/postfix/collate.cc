#include "tools/postfix/collate.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "log/log.h"
#include "queue/id.h"
#include "sys/fd.h"

namespace postrider::postfix {

namespace {

constexpr int kUsage = 64;
/// Longer lines are none of a mail log.
constexpr size_t kMaxLine = size_t{1} << 20;
constexpr size_t kPiece = size_t{64} << 10;
/// The end of a session is told to no more messages of it than this.
constexpr size_t kMaxMessages = 1000;

/// What a line tells: "... postfix/smtpd[123]: 4D3F6C2: text".
struct LogLine {
  std::string_view program, process;  ///< "smtpd", "123"
  std::string_view text;              ///< Behind the process id.
};
std::optional<LogLine> parse_line(std::string_view line) {
  size_t end = line.find("]: ");
  if (end == line.npos) return std::nullopt;
  size_t open = line.rfind('[', end);
  if (open == line.npos || !is_all_digits(line.substr(open + 1, end - open - 1))) return std::nullopt;
  size_t begin = line.find_last_of(" /", open);
  begin = begin == line.npos ? 0 : begin + 1;
  return LogLine{line.substr(begin, open - begin), line.substr(open + 1, end - open - 1),
                 line.substr(end + 3)};
}

/// The queue id at the beginning of a text; empty where there is none.
std::string_view id_of(std::string_view text) {
  size_t colon = text.find(": ");
  if (colon == text.npos) return {};
  std::string_view word = text.substr(0, colon);
  if (word.size() <= queue::kShortTimeDigits || !queue::is_valid_id(word) || !queue::inode_of_id(word))
    return {};
  bool hex = word.find_first_not_of("0123456789ABCDEF") == word.npos;
  return hex || queue::is_long_id(word) ? word : std::string_view();
}

/// The first "name[address]" in a text: the client that it is about.
std::string_view client_of(std::string_view text) {
  for (size_t open = text.find('['); open != text.npos; open = text.find('[', open + 1)) {
    size_t close = text.find(']', open);
    if (close == text.npos) return {};
    size_t begin = text.find_last_of(" =", open);
    begin = begin == text.npos ? 0 : begin + 1;
    std::string_view inside = text.substr(open + 1, close - open - 1);
    bool address = !inside.empty() && inside.find_first_not_of("0123456789abcdefABCDEF.:") == inside.npos;
    if (begin < open && address) return text.substr(begin, close + 1 - begin);
  }
  return {};
}

}  // namespace

Collator::Group& Collator::group(const std::string& key) {
  auto [found, is_new] = groups_.try_emplace(key);
  if (is_new) found->second.age = ages_.insert(ages_.end(), key);
  return found->second;
}

void Collator::append(Group& group, std::string_view line) {
  group.text += line;
  group.text += '\n';
  bytes_ += line.size() + 1;
}

void Collator::give_away(Groups::iterator found, bool print) {
  bytes_ -= std::min(bytes_, found->second.text.size());
  if (print) sink_(found->second.text);
  ages_.erase(found->second.age);
  groups_.erase(found);
}

void Collator::add(std::string_view line) {
  auto parsed = parse_line(line);
  if (!parsed) return;
  std::string_view id = id_of(parsed->text);
  std::string session;
  if (parsed->program == "smtpd") {
    std::string_view client = client_of(parsed->text);
    if (!client.empty()) session = fmt::format("smtpd[{}] {}", parsed->process, client);
  }
  if (!id.empty()) {
    add_to_message(id, session, parsed->text.substr(id.size() + 2), line);
  } else if (!session.empty()) {
    add_to_session(session, parsed->text, line);
  }
  while (bytes_ > max_bytes_ && !ages_.empty()) {
    auto oldest = groups_.find(ages_.front());
    give_away(oldest, !oldest->second.has_message);
  }
}

void Collator::add_to_message(std::string_view id, std::string_view session, std::string_view text,
                              std::string_view line) {
  bool is_new = !groups_.contains(id);
  Group& message = group(std::string(id));
  // The session in which a message begins comes before it.
  auto before = session.empty() ? groups_.end() : groups_.find(session);
  if (is_new && before != groups_.end() && text.starts_with("client=")) {
    message.text = before->second.text;
    bytes_ += message.text.size();
    before->second.has_message = true;
    if (before->second.messages.size() < kMaxMessages) before->second.messages.emplace_back(id);
  }
  append(message, line);
  if (text == "removed" || text.starts_with("removed (")) give_away(groups_.find(id), true);
}

void Collator::add_to_session(const std::string& session, std::string_view text, std::string_view line) {
  if (text.starts_with("connect from ")) {
    // What is there is of a session whose end was not logged.
    auto earlier = groups_.find(session);
    if (earlier != groups_.end()) give_away(earlier, !earlier->second.has_message);
  }
  Group& group = this->group(session);
  append(group, line);
  if (!text.starts_with("disconnect from ")) return;
  for (const std::string& id : group.messages) {
    auto message = groups_.find(id);
    if (message != groups_.end()) append(message->second, line);
  }
  give_away(groups_.find(session), !group.has_message);
}

void Collator::finish() {
  while (!ages_.empty()) {
    auto oldest = groups_.find(ages_.front());
    give_away(oldest, !oldest->second.has_message);
  }
}

namespace {

class Printer {
 public:
  explicit Printer(std::string wanted) : wanted_(lowercase(wanted)) {}

  void print(std::string_view group) {
    if (!wanted_.empty() && lowercase(group).find(wanted_) == std::string::npos) return;
    out_ += group;
    out_ += '\n';
    if (out_.size() >= kPiece) flush();
  }
  void flush() {
    auto written = sys::write_all(STDOUT_FILENO, out_);
    out_.clear();
    // Whoever has seen enough may close it.
    if (!written) _exit(written.error().code == EPIPE ? 0 : 1);
  }

 private:
  std::string wanted_, out_;
};

void read_lines(std::istream& in, Collator& collator) {
  std::string buffer;
  std::vector<char> piece(kPiece);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    buffer.append(piece.data(), static_cast<size_t>(in.gcount()));
    size_t begin = 0;
    for (size_t end; (end = buffer.find('\n', begin)) != buffer.npos; begin = end + 1)
      collator.add(std::string_view(buffer).substr(begin, end - begin));
    buffer.erase(0, begin);
    if (buffer.size() > kMaxLine) buffer.clear();
  }
  if (!buffer.empty()) collator.add(buffer);
}

/// An error where the file cannot be read.
Result<void> read_file(const std::string& name, Collator& collator) {
  if (name == "-") {
    read_lines(std::cin, collator);
    return {};
  }
  std::ifstream in(name, std::ios::binary);
  if (!in) return fail_errno("open " + name);
  read_lines(in, collator);
  return {};
}

}  // namespace

int collate_command(const std::vector<std::string>& arguments) {
  std::string wanted;
  std::vector<std::string> files;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "-g" && i + 1 < arguments.size()) {
      wanted = arguments[++i];
    } else if (word.size() > 1 && word[0] == '-') {
      log::write(log::Severity::fatal, "usage: postfix collate [-g text] [file ...]");
      return kUsage;
    } else {
      files.push_back(word);
    }
  }
  if (files.empty()) files.emplace_back("-");
  Printer printer(wanted);
  Collator collator([&](std::string_view group) { printer.print(group); });
  int status = 0;
  for (const std::string& file : files) {
    auto done = read_file(file, collator);
    if (done) continue;
    log::error("{}", done.error().text);
    status = 1;
  }
  collator.finish();
  printer.flush();
  return status;
}

}  // namespace postrider::postfix

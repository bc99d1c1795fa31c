// A message in memory and a directory of its own, for tests of deliveries.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "base/text.h"
#include "mailbox/copy.h"
#include "mailbox/open_file.h"
#include "queue/record.h"
#include "sys/file.h"

namespace postrider::mailbox {

/// The content of a queue file, from text with "\n" line ends.
class MemoryMessage final : public queue::ByteSource {
 public:
  explicit MemoryMessage(std::string_view text) {
    for (std::string_view line : split_each(text, '\n'))
      lines_.emplace_back(line);
    if (!lines_.empty() && lines_.back().empty()) lines_.pop_back();
    for (const std::string& line : lines_)
      queue::append_record(bytes_, queue::RecordType::text, line);
    queue::append_record(bytes_, queue::RecordType::extracted, "");
  }
  /// Ends in the middle of the content.
  void damage() { bytes_.resize(bytes_.size() - 2); }
  void add_record(queue::RecordType type, std::string_view data) {
    bytes_.resize(bytes_.size() - 2);
    queue::append_record(bytes_, type, data);
    queue::append_record(bytes_, queue::RecordType::extracted, "");
  }

  Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
    return offset >= bytes_.size() ? 0 : bytes_.copy(data, size, offset);
  }

  Message message() {
    return {.file = this,
            .data_offset = 0,
            .sender = "joe@sender.test",
            .original_recipient = "Alice@site.test",
            .delivered_to = "alice@site.test"};
  }

 private:
  std::vector<std::string> lines_;
  std::string bytes_;
};

class WithDirectory : public testing::Test {
 protected:
  WithDirectory() : directory_(sys::make_private_directory().value()) {}
  ~WithDirectory() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  static std::string content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::string& file, std::string_view text) {
    std::ofstream(file, std::ios::binary) << text;
  }
  static Identity self() { return {geteuid(), getegid()}; }

  std::string directory_;
};

}  // namespace postrider::mailbox

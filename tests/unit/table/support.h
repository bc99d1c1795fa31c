// What the tests of tables share.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "table/open.h"

namespace postrider::table {

/// A directory of its own for each test, and a log to look at.
class TableTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-table-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::system(("rm -rf " + directory_).c_str()); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  /// Writes a file that was last modified `age` seconds ago.
  std::string write(const std::string& name, const std::string& content, int age = 60) const {
    std::string file = path(name);
    std::ofstream(file) << content;
    set_age(file, age);
    return file;
  }
  static void set_age(const std::string& file, int age) {
    timespec when{time(nullptr) - age, 0};
    timespec times[2] = {when, when};
    utimensat(AT_FDCWD, file.c_str(), times, 0);
  }

  OpenOptions options() {
    OpenOptions out;
    out.log = [this](Severity, std::string_view text) { log_.emplace_back(text); };
    return out;
  }

  std::shared_ptr<Table> open_table(const std::string& spec) {
    auto opened = open(spec, options());
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? *opened : nullptr;
  }
  std::string open_error(const std::string& spec) {
    auto opened = open(spec, options());
    return opened ? "" : opened.error().text;
  }

  /// The value, "(none)", or the error's text.
  static std::string look_up(Table& table, std::string_view key) {
    auto value = table.lookup(key, Deadline::never());
    if (!value) return value.error().text;
    return value->value_or("(none)");
  }
  std::string look_up(const std::string& spec, std::string_view key) {
    auto opened = open(spec, options());
    return opened ? look_up(**opened, key) : opened.error().text;
  }

  /// Builds an index from entries.
  void build(const std::string& spec, const std::vector<Entry>& entries) { build(spec, entries, options()); }
  static void build(const std::string& spec, const std::vector<Entry>& entries, const OpenOptions& with) {
    auto builder = create(spec, 0644, with);
    ASSERT_TRUE(builder) << builder.error().text;
    for (const Entry& entry : entries)
      ASSERT_TRUE((*builder)->add(entry.key, entry.value));
    auto committed = (*builder)->commit();
    ASSERT_TRUE(committed) << committed.error().text;
  }

  static std::vector<Entry> all_entries(Table& table) {
    std::vector<Entry> out;
    for (auto entry = table.first(Deadline::never()); entry && *entry;
         entry = table.next(Deadline::never())) {
      out.push_back(**entry);
    }
    return out;
  }

  /// What was logged since the last call.
  std::vector<std::string> logged() { return std::exchange(log_, {}); }

  std::string directory_;
  std::vector<std::string> log_;
};

}  // namespace postrider::table

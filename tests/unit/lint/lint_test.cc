// Known-good configurations give no finding; each faulty one gives what its file "expected" has, and each
// single mistake in a good one what mistakes.txt says.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "config/config.h"
#include "log/log.h"
#include "sys/file.h"
#include "table/file_value.h"
#include "table/open.h"
#include "tools/lint/checks.h"
#include "tools/lint/command.h"
#include "tools/lint/nearest.h"
#include "tools/lint/tables.h"

namespace postrider::lint {
namespace {

namespace fs = std::filesystem;

const fs::path kData = POSTRIDER_LINT_TEST_DATA;

std::string content(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A key and a certificate that is signed with it.
struct Identity {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();

  Identity(int from_days, int until_days, const char* names = nullptr) {
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_time_adj_ex(X509_getm_notBefore(certificate), from_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(certificate), until_days, 0, nullptr);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("mail.example"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    if (names) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key, EVP_sha256());
  }
  Identity(const Identity&) = delete;
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  void write_key(const fs::path& path) const {
    FILE* file = fopen(path.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }
  void write_certificate(const fs::path& path, const char* mode = "w") const {
    FILE* file = fopen(path.c_str(), mode);
    PEM_write_X509(file, certificate);
    fclose(file);
  }
};

/// A copy of a configuration, with tables built and certificates made; `edit` changes its files before.
class Copy {
 public:
  explicit Copy(const fs::path& from, const std::function<void(const fs::path&)>& edit = {})
      : path_(*sys::make_private_directory()) {
    fs::copy(from, path_, fs::copy_options::recursive);
    // Others get as far as the files.
    fs::permissions(path_, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
    fs::remove(path_ / "expected");
    if (edit) edit(path_);
    make_certificates();
    protect_passwords();
    build_tables();
  }
  Copy(const Copy&) = delete;
  ~Copy() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  void make_certificates() const {
    fs::path tls = path_ / "tls";
    fs::create_directories(tls);
    Identity good(-10, 300), other(-10, 300), expired(-10, -1), soon(-10, 3);
    good.write_key(tls / "key.pem");
    good.write_certificate(tls / "cert.pem");
    good.write_key(tls / "both.pem");
    good.write_certificate(tls / "both.pem", "a");
    other.write_key(tls / "other-key.pem");
    expired.write_certificate(tls / "expired.pem");
    expired.write_key(tls / "key-of-expired.pem");
    Identity named(-10, 300, "DNS:mx.example.com, DNS:*.example.org");
    named.write_key(tls / "named.pem");
    named.write_certificate(tls / "named.pem", "a");
    soon.write_certificate(tls / "soon.pem");
    soon.write_key(tls / "readable-key.pem");
    fs::permissions(tls / "readable-key.pem", fs::perms::others_read, fs::perm_options::add);
  }

  /// In files whose names do not end in "readable".
  void protect_passwords() const {
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      std::string name = entry.path().filename();
      bool secret = name.find("pass") != std::string::npos ||
                    content(entry.path()).find("\npassword") != std::string::npos ||
                    content(entry.path()).find("bind_pw") != std::string::npos;
      if (entry.is_regular_file() && secret && !name.ends_with("readable"))
        fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write);
    }
  }

  /// All that main.cf and overrides name, but "unbuilt"; "stale" is changed afterwards.
  void build_tables() const {
    Report ignored;
    auto model = Model::load(path_, ignored);
    if (!model) return;
    for (const TableUse& use : table_uses(*model)) {
      if (index_suffix(use.type).empty() || use.role == TableRole::cache || use.name.ends_with("unbuilt"))
        continue;
      if (!fs::exists(use.name)) continue;
      mode_t mode = static_cast<mode_t>(fs::status(use.name).permissions());
      bool keys = use.parameter == "tls_server_sni_maps" && !use.name.ends_with("plain");
      auto builder = table::create(use.spec(), mode, {});
      ASSERT_TRUE(builder) << builder.error().text;
      for (const TableEntry& entry : entries_of(*model, use.type, use.name))
        (void)(*builder)->add(entry.key, keys ? table::encode_files(entry.value).value_or("") : entry.value);
      ASSERT_TRUE((*builder)->commit());
      auto now = fs::last_write_time(use.name);
      auto shift = use.name.ends_with("stale") ? std::chrono::hours(-1) : std::chrono::hours(0);
      fs::last_write_time(use.name + std::string(index_suffix(use.type)), now + shift);
    }
  }

  fs::path path_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  std::ranges::sort(out);
  return out;
}

/// "main.cf:12 open-relay"
std::vector<std::string> found_in(const fs::path& directory, Report& report) {
  log::open({.ident = "test"});
  lint(directory, report);
  std::vector<std::string> out;
  for (const Finding& finding : report.sorted()) {
    if (finding.code.name == codes::not_in_force.name) continue;
    std::string file = fs::path(finding.place.file).filename();
    if (finding.place.line > 0) file += fmt::format(":{}", finding.place.line);
    out.push_back(fmt::format("{} {}", file, finding.code.name));
  }
  std::ranges::sort(out);
  return out;
}

std::string all_text(const Report& report) {
  std::string out;
  for (const Finding& finding : report.sorted())
    out += to_text(finding);
  return out;
}

std::vector<std::string> names_in(const char* kind) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(kData / kind))
    out.push_back(entry.path().filename());
  std::ranges::sort(out);
  return out;
}

class Good : public ::testing::TestWithParam<std::string> {};
TEST_P(Good, HasNoFinding) {
  Copy copy(kData / "good" / GetParam());
  Report report;
  EXPECT_EQ(found_in(copy.path(), report), std::vector<std::string>{}) << all_text(report);
  EXPECT_EQ(report.exit_status(), 0);
}
auto name_of = [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
};
INSTANTIATE_TEST_SUITE_P(Configurations, Good, ::testing::ValuesIn(names_in("good")), name_of);

class Faulty : public ::testing::TestWithParam<std::string> {};
TEST_P(Faulty, HasTheFindingsThatAreExpected) {
  Copy copy(kData / "faulty" / GetParam());
  Report report;
  auto expected = lines_of(content(kData / "faulty" / GetParam() / "expected"));
  EXPECT_EQ(found_in(copy.path(), report), expected) << all_text(report);
  for (const Finding& finding : report.sorted())
    EXPECT_FALSE(finding.remedy.empty()) << finding.text;
}
INSTANTIATE_TEST_SUITE_P(Configurations, Faulty, ::testing::ValuesIn(names_in("faulty")), name_of);

/// One of mistakes.txt.
struct Mistake {
  std::string name, configuration;
  std::vector<std::string> edits, findings;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

std::vector<Mistake> mistakes() {
  std::vector<Mistake> out;
  std::istringstream in(content(kData / "mistakes.txt"));
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    size_t colon = line.find(": ");
    if (line[0] != ' ')
      out.push_back({line.substr(0, colon), line.substr(colon + 2), {}, {}});
    else if (line.starts_with("  finds "))
      out.back().findings.push_back(line.substr(8));
    else
      out.back().edits.push_back(line.substr(2));
  }
  return out;
}

std::vector<std::string> lines_in_order(const fs::path& path) {
  std::vector<std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

void write_lines(const fs::path& path, const std::vector<std::string>& lines) {
  std::ofstream out(path);
  for (const std::string& line : lines)
    out << line << '\n';
}

/// "FILE + LINE", "FILE - TEXT" or "FILE | TEXT => TEXT"
void apply(const std::string& edit, const fs::path& directory) {
  size_t space = edit.find(' ');
  fs::path path = directory / edit.substr(0, space);
  char kind = edit.at(space + 1);
  std::string text = edit.substr(space + 3);
  auto lines = lines_in_order(path);
  auto has = [](const std::string& what) {
    return [what](const std::string& line) { return line.find(what) != std::string::npos; };
  };
  if (kind == '+') {
    lines.push_back(text);
  } else if (kind == '-') {
    ASSERT_GT(std::erase_if(lines, has(text)), 0U) << edit;
  } else {
    constexpr std::string_view kArrow = " => ";
    size_t arrow = text.find(kArrow);
    std::string old = text.substr(0, arrow), replacement = text.substr(arrow + kArrow.size());
    ASSERT_TRUE(std::ranges::any_of(lines, has(old))) << edit;
    for (std::string& line : lines)
      if (size_t at = line.find(old); at != std::string::npos) line.replace(at, old.size(), replacement);
  }
  write_lines(path, lines);
}

class Single : public ::testing::TestWithParam<Mistake> {};
TEST_P(Single, IsFoundAndNothingElse) {
  const Mistake& mistake = GetParam();
  Copy copy(kData / "good" / mistake.configuration, [&](const fs::path& directory) {
    for (const std::string& edit : mistake.edits)
      apply(edit, directory);
  });
  std::vector<std::string> expected = mistake.findings;
  for (std::string& finding : expected) {
    size_t last = finding.find(":last");
    if (last == std::string::npos) continue;
    size_t count = lines_in_order(copy.path() / finding.substr(0, last)).size();
    finding.replace(last + 1, 4, std::to_string(count));
  }
  std::ranges::sort(expected);
  Report report;
  EXPECT_EQ(found_in(copy.path(), report), expected) << all_text(report);
  EXPECT_GT(report.exit_status(), 0);
  for (const Finding& finding : report.sorted())
    EXPECT_FALSE(finding.remedy.empty()) << finding.text;
}
auto mistake_name = [](const auto& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
};
INSTANTIATE_TEST_SUITE_P(Mistakes, Single, ::testing::ValuesIn(mistakes()), mistake_name);

TEST(Lint, EveryCodeHasAConfigurationThatShowsIt) {
  std::string shown;
  for (const std::string& name : names_in("faulty"))
    shown += content(kData / "faulty" / name / "expected");
  for (const Code& code : all_codes()) {
    // Without a main.cf that loads there is nothing else to look at.
    // Other systems are asked in tests/e2e.
    if (code.name == codes::main_cf_syntax.name || code.name == codes::not_in_force.name ||
        code.name == codes::table_unreachable.name)
      continue;
    EXPECT_NE(shown.find(fmt::format(" {}\n", code.name)), std::string::npos) << code.name;
  }
}

TEST(Lint, EveryCodeIsInTheGuide) {
  std::string guide = content(POSTRIDER_LINT_GUIDE);
  for (const Code& code : all_codes())
    EXPECT_NE(guide.find(fmt::format("`{}`", code.name)), std::string::npos) << code.name;
}

TEST(Lint, AMainCfThatDoesNotLoadIsAnError) {
  fs::path directory = *sys::make_private_directory();
  std::ofstream(directory / "main.cf") << "myhostname = mail.example.com\nthis is no setting\n";
  Report report;
  EXPECT_EQ(found_in(directory, report), std::vector<std::string>{"main.cf:2 main-cf-syntax"})
      << all_text(report);
  EXPECT_EQ(report.exit_status(), 2);
  fs::remove_all(directory);
}

TEST(Lint, WhatIsInADirectoryForRootIsReadByRoot) {
  Copy copy(kData / "faulty" / "passwords");
  fs::permissions(copy.path(), fs::perms::owner_all);
  Report report;
  EXPECT_EQ(found_in(copy.path(), report), std::vector<std::string>{}) << all_text(report);
}

TEST(Lint, AMissingMainCfHasNoLineToCorrect) {
  fs::path directory = *sys::make_private_directory();
  Report report;
  EXPECT_EQ(found_in(directory, report), std::vector<std::string>{"main.cf main-cf-syntax"});
  EXPECT_EQ(report.sorted().at(0).remedy.find("correct"), std::string::npos);
  fs::remove_all(directory);
}

TEST(Lint, ValuesThatCannotBeExpandedDoNotEndIt) {
  fs::path directory = *sys::make_private_directory();
  std::ofstream(directory / "main.cf")
      << "compatibility_level = ${\nalias_maps = hash:/x $alias_maps\nmaillog_file = $(\n";
  std::ofstream(directory / "master.cf") << "smtp inet n - n - - smtpd\n";
  Report report;
  auto found = found_in(directory, report);
  EXPECT_NE(std::ranges::find(found, "main.cf:1 bad-value"), found.end()) << all_text(report);
  EXPECT_NE(std::ranges::find(found, "main.cf:2 bad-value"), found.end()) << all_text(report);
  EXPECT_NE(std::ranges::find(found, "main.cf:3 bad-value"), found.end()) << all_text(report);
  fs::remove_all(directory);
}

TEST(Lint, AnOpenRelayIsShownByASession) {
  Copy copy(kData / "faulty" / "relay-sender");
  Report report;
  found_in(copy.path(), report);
  auto findings = report.sorted();
  auto relay =
      std::ranges::find(findings, codes::open_relay.name, [](const Finding& f) { return f.code.name; });
  ASSERT_NE(relay, findings.end());
  std::string session = fmt::format("{}", fmt::join(relay->session, "\n"));
  EXPECT_NE(session.find("C: MAIL FROM:<someone@example.com>"), std::string::npos) << session;
  EXPECT_NE(session.find("C: RCPT TO:<victim@elsewhere.example>"), std::string::npos) << session;
  EXPECT_NE(session.find("senders:2"), std::string::npos) << session;
  EXPECT_NE(to_json(*relay).find(R"("code": "open-relay")"), std::string::npos);
}

TEST(Nearest, FindsWhatWasMeant) {
  std::vector<std::string_view> known = {"body_checks", "content_filter", "mynetworks", "mynetworks_style",
                                         "relayhost"};
  EXPECT_EQ(nearest("body_check", known), "body_checks");
  EXPECT_EQ(nearest("content-filter", known), "content_filter");
  EXPECT_EQ(nearest("mynetwork_style", known), "mynetworks_style");
  EXPECT_EQ(nearest("realyhost", known), "relayhost");
  EXPECT_EQ(nearest("something_else", known), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), known), "");
}

}  // namespace
}  // namespace postrider::lint

#include "nbdb_reindexd/indexer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "nbdb_reindexd/grammar.h"
#include "sys/file.h"

namespace postrider::nbdb_reindexd {
namespace {

struct stat status_of(uid_t uid, mode_t mode) {
  struct stat out{};
  out.st_uid = uid;
  out.st_mode = mode;
  return out;
}

TEST(Prefixes, DirectoriesAndWhatIsBelow) {
  Prefixes prefixes("name", "/etc, /usr/local/etc// relative");
  EXPECT_EQ(prefixes.directories(), (std::vector<std::string>{"/etc", "/usr/local/etc"}));
  EXPECT_TRUE(prefixes.match("/etc/postfix/virtual"));
  EXPECT_TRUE(prefixes.match("/usr/local/etc/x"));
  EXPECT_FALSE(prefixes.match("/etc"));
  EXPECT_FALSE(prefixes.match("/etcetera/x"));
  EXPECT_FALSE(prefixes.match("/etc/../tmp/x"));
  EXPECT_FALSE(prefixes.match("/etc/x/.."));
  EXPECT_FALSE(prefixes.match("etc/x"));
  EXPECT_FALSE(prefixes.match(std::string_view("/etc/x\0y", 8)));
  EXPECT_FALSE(Prefixes("name", "").match("/x"));
}

TEST(Safety, OwnersAndModes) {
  EXPECT_TRUE(is_safe_for(5, status_of(5, S_IFREG | 0600)));
  EXPECT_TRUE(is_safe_for(5, status_of(0, S_IFREG | 0644)));
  EXPECT_FALSE(is_safe_for(5, status_of(6, S_IFREG | 0600)));
  EXPECT_FALSE(is_safe_for(0, status_of(6, S_IFREG | 0600)));
  EXPECT_FALSE(is_safe_for(5, status_of(5, S_IFREG | 0620)));
  EXPECT_FALSE(is_safe_for(5, status_of(5, S_IFREG | 0602)));
}

class RulesTest : public testing::Test {
 protected:
  std::string problem(uid_t owner, const std::string& path, struct stat source, struct stat directory) {
    auto checked = rules_.check({path, source}, {path + ".db", status_of(owner, S_IFREG | 0644)},
                                {sys::directory_of(path), directory});
    return checked ? "" : checked.error().text;
  }
  const SafetyRules rules_{.root = {"root_prefixes", "/etc"}, .user = {"user_prefixes", "/var/lib/mailman"}};
  const struct stat file_ = status_of(0, S_IFREG | 0644), directory_ = status_of(0, S_IFDIR | 0755);
};

TEST_F(RulesTest, EachUserHasPlaces) {
  EXPECT_EQ(problem(0, "/etc/x", file_, directory_), "");
  EXPECT_EQ(problem(38, "/var/lib/mailman/x", file_, directory_), "");
  EXPECT_EQ(
      problem(0, "/var/lib/mailman/x", file_, directory_),
      "table /var/lib/mailman/x has an unexpected pathname; to allow automatic indexing as root, append its "
      "parent directory to the 'root_prefixes' setting (current setting is: \"/etc\")");
  EXPECT_EQ(
      problem(38, "/etc/x", file_, directory_),
      "table /etc/x has an unexpected pathname; to allow automatic indexing as non-root, append its parent "
      "directory to the 'user_prefixes' setting (current setting is: \"/var/lib/mailman\")");
}

TEST_F(RulesTest, NobodyElseMayChangeSourceAndDirectory) {
  EXPECT_EQ(
      problem(0, "/etc/x", status_of(38, S_IFREG | 0644), directory_),
      "legacy indexed file '/etc/x.db' is owned by uid '0', but source file '/etc/x' is owned or writable by "
      "other user; to allow automatic indexing, correct the ownership or permissions");
  EXPECT_EQ(problem(38, "/var/lib/mailman/x", file_, status_of(38, S_IFDIR | 02775)),
            "legacy indexed file '/var/lib/mailman/x.db' is owned by uid '38', but parent directory "
            "'/var/lib/mailman' is owned or writable by other user; to allow automatic indexing, correct the "
            "ownership or permissions");
}

class IndexerTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-reindex-XXXXXX";
    directory_ = mkdtemp(name);
    chmod(directory_.c_str(), 0755);
  }
  void TearDown() override { std::system(("rm -rf " + directory_).c_str()); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
  bool aliases(const std::string& text) {
    write("source", text);
    sys::Fd fd = *sys::open_file(path("source"), O_RDONLY);
    return is_alias_source(fd.get(), true).value();
  }
  Indexer indexer(const std::string& level = "enable-reindex", const std::string& more = "") {
    // Whoever runs the test.
    write("main.cf", "compatibility_level = 3.11\nnon_bdb_migration_level = " + level +
                         "\ndefault_database_type = lmdb\ndefault_cache_db_type = cdb\nalias_maps = hash:" +
                         path("names") + "\nnon_bdb_migration_allow_root_prefixes = " + directory_ +
                         "\nnon_bdb_migration_allow_user_prefixes = " + directory_ + "\n" + more);
    auto config = config::Config::load(
        {.directory = directory_, .process_name = "nbdb_reindexd", .service_name = "nbdb_reindex"});
    EXPECT_TRUE(config) << (config ? "" : config.error().text);
    return Indexer(Settings(*config));
  }
  static std::string problem(const Result<void>& result) { return result ? "" : result.error().text; }
  std::string look_up(const std::string& spec, std::string_view key) {
    auto table = table::open(spec, {});
    if (!table) return table.error().text;
    auto value = (*table)->lookup(key, Deadline::never());
    return !value ? value.error().text : value->value_or("<none>");
  }

  std::string directory_;
};

TEST_F(IndexerTest, TellsAliasesFromOtherTables) {
  EXPECT_TRUE(aliases("# comment\nroot: joe\npostmaster:root\n"));
  EXPECT_TRUE(aliases("list: a@example.com,\n  b@example.com\n\"odd name\": |\"/bin/command x\"\n"));
  EXPECT_FALSE(aliases("a@example.com b@example.com\n"));
  EXPECT_FALSE(aliases("example.com smtp:[mail.example.com]:25\n/pattern/ x\n"));
  EXPECT_FALSE(aliases("a:b c\n"));
  EXPECT_FALSE(aliases(""));
}

TEST_F(IndexerTest, MakesIndexesOfBothKinds) {
  write("map", "key value\n");
  write("map.db", "");
  write("names", "a:b c\n");
  write("names.db", "");
  EXPECT_EQ(problem(indexer().run("hash", path("map"))), "");
  EXPECT_EQ(look_up("lmdb:" + path("map"), "key"), "value");
  EXPECT_EQ(problem(indexer().run("btree", path("map"))), "");
  EXPECT_EQ(look_up("cdb:" + path("map"), "key"), "value");
  // The configuration says that these are aliases, whatever they look like.
  EXPECT_EQ(problem(indexer().run("hash", path("names"))), "");
  EXPECT_EQ(look_up("lmdb:" + path("names"), "a"), "b c");
}

TEST_F(IndexerTest, LeavesWhatIsThere) {
  write("map", "key new\n");
  write("map.db", "");
  Indexer one = indexer();
  ASSERT_EQ(problem(one.run("hash", path("map"))), "");
  write("map", "key newer\n");
  EXPECT_EQ(problem(one.run("hash", path("map"))), "");
  EXPECT_EQ(look_up("lmdb:" + path("map"), "key"), "new");
}

TEST_F(IndexerTest, RefusesWithReasons) {
  write("map", "key value\n");
  std::string no_file = ": No such file or directory";
  EXPECT_EQ(problem(indexer("enable-redirect").run("hash", path("map"))),
            "the nbdb_reindex service is disabled");
  EXPECT_EQ(problem(indexer().run("hash", path("map"))),
            "look up status for legacy indexed file '" + path("map.db") + "'" + no_file);
  write("gone.db", "");
  EXPECT_EQ(problem(indexer().run("hash", path("gone"))),
            "look up status for source file '" + path("gone") + "'" + no_file);
  EXPECT_EQ(problem(indexer().run("lmdb", path("map"))), "request to map from non-Berkeley-DB type: 'lmdb'");
  auto mapped = [&](const std::string& type) {
    return problem(indexer("enable-reindex", "non_bdb_custom_mapping = inline:{ {btree = " + type + "} }\n")
                       .run("btree", path("map")));
  };
  EXPECT_EQ(mapped("hash"), "mapping from 'btree' to legacy type 'hash'");
  EXPECT_EQ(mapped("nonsense"), "mapping to unsupported database type: 'nonsense'");
  EXPECT_EQ(mapped("texthash"), "non-Berkeley-DB type 'texthash' has no known suffix");
  write("map.db", "");
  chmod(path("map").c_str(), 0666);
  EXPECT_NE(problem(indexer().run("hash", path("map"))).find("is owned or writable by other user"),
            std::string::npos);
  EXPECT_FALSE(sys::exists(path("map.lmdb")));
}

}  // namespace
}  // namespace postrider::nbdb_reindexd

#include "proxymap/approved.h"

#include <gtest/gtest.h>

#include "../config/temporary_config.h"

namespace postrider::proxymap {
namespace {

using Tables = std::set<std::string, std::less<>>;

TEST(Approved, TakesProxiedTablesOnly) {
  config::TemporaryConfig directory;
  config::Config config = directory.load("");
  Approved approved(config, "proxy:hash:/a, hash:/b !proxy:proxy:inline:{c=d, e=f} proxy:nothing");
  EXPECT_EQ(approved.tables(), (Tables{"hash:/a", "inline:{c=d, e=f}"}));
  EXPECT_TRUE(approved.contains("hash:/a"));
  EXPECT_FALSE(approved.contains("hash:/b"));
}

TEST(Approved, LooksIntoFilesAndRestrictionClasses) {
  config::TemporaryConfig directory;
  config::Config config = directory.load(
      "smtpd_restriction_classes = strict\n"
      "strict = check_client_access proxy:cidr:/x, strict\n");
  std::string list = directory.directory() + "/list";
  ASSERT_TRUE(sys::replace_file(list, "# proxy:hash:/no\nexample.test, proxy:hash:/y\n", 0600));
  Approved approved(config, "strict " + list + " " + list + " /no/such/file");
  EXPECT_EQ(approved.tables(), (Tables{"cidr:/x", "hash:/y"}));
}

}  // namespace
}  // namespace postrider::proxymap

#include "table/plugins.h"

#include <sys/stat.h>

#include "support.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Plugins : public TableTest {
 protected:
  /// The types stay for the process, so each test has names of its own.
  void add(const std::string& lines) { add_dynamic_types(write("dynamicmaps.cf", lines), options().log); }
  const std::string object_ = POSTRIDER_GREETING_PLUGIN;
};

TEST_F(Plugins, TypesOfOthersAreLoadedWhenTheyAreUsed) {
  add("# A comment.\ngreet " + object_ + " open_greeting\n");
  EXPECT_THAT(logged(), IsEmpty());
  EXPECT_TRUE(is_known_type("greet"));
  auto table = open_table("greet:hello");
  EXPECT_EQ(look_up(*table, "Joe"), "hello, joe");
  EXPECT_EQ(look_up(*table, "nobody"), "(none)");
  EXPECT_EQ(look_up(*table, "broken"), "table greet:hello: query error");
  EXPECT_THAT(logged(), ElementsAre("greet:hello: out of words"));
  EXPECT_EQ(look_up("greet:unreachable", "x"), "table greet:unreachable: query error");
  EXPECT_THAT(logged(), ElementsAre("greet:unreachable: cannot be reached"));
  EXPECT_THAT(open_error("greet:x"), IsEmpty());
}

TEST_F(Plugins, ObjectsAreFoundInThePluginDirectories) {
  size_t slash = object_.rfind('/');
  set_plugin_directories({directory_, object_.substr(0, slash)});
  add("relative " + object_.substr(slash + 1) + " open_greeting mkmap_greeting_open\n");
  EXPECT_EQ(look_up("relative:hi", "joe"), "hi, joe");
  set_plugin_directories({});
}

TEST_F(Plugins, MoreFilesMayBeInADirectory) {
  ASSERT_EQ(mkdir(path("dynamicmaps.cf.d").c_str(), 0700), 0);
  write("dynamicmaps.cf.d/one.cf", "further " + object_ + " open_greeting\n");
  write("dynamicmaps.cf.d/two.txt", "ignored " + object_ + " open_greeting\n");
  add("");
  EXPECT_TRUE(is_known_type("further"));
  EXPECT_FALSE(is_known_type("ignored"));
}

TEST_F(Plugins, MistakesAreSaidWithTheirPlace) {
  add("lonely\nmissing /nonexistent/object.so open\nwrong " + object_ +
      " no_such_function\nhash x.so open\n");
  EXPECT_THAT(logged(),
              ElementsAre(path("dynamicmaps.cf") +
                          ", line 1: expected \"dict-type so-name open-function [mkmap-function]\""));
  EXPECT_THAT(open_error("missing:x"), HasSubstr("unsupported dictionary type: missing: "));
  EXPECT_THAT(open_error("wrong:x"), HasSubstr("is not of this release: it has no no_such_function"));
  // A type that there is stays what it is.
  EXPECT_THAT(open_error("hash:" + path("none")), HasSubstr("open database " + path("none.db")));
}

}  // namespace
}  // namespace postrider::table

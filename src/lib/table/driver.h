// What a plug-in for a client library offers. Programs do not link the libraries of database clients: a
// plug-in is loaded by the first table of its type. It knows how to talk to a server and nothing else;
// queries, hosts, results and errors are the tables' business.
//
// Plug-ins come from the same build as the programs. Everything here is in this header, so that neither side
// needs symbols of the other. Calls block, and are made on threads; an object is used by one thread at a
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::table::driver {

/// Changes with the interfaces below; part of the names that plug-ins export.
#define POSTRIDER_DRIVER_VERSION 3

struct Failure {
  std::string text;        ///< What the library says.
  bool permanent = false;  ///< The request or the configuration is wrong; the server is well.
  int code = 0;            ///< errno as the library left it; 0 when that says nothing.
  bool error = false;      ///< Logged as an error, not as a warning.
};
template <typename T>
using Answer = std::expected<T, Failure>;

/// Where a server is.
struct Server {
  std::string host;   ///< Empty for a UNIX-domain socket.
  std::string path;   ///< Of the socket.
  uint16_t port = 0;  ///< 0: the library's default.
  std::string url;    ///< For libraries that take a whole URL; then nothing else is set.
};

/// Parameters of the table, by their names in the table's documentation.
using Settings = std::map<std::string, std::string, std::less<>>;

/// Each step with a server ends after this time.
using Timeout = std::chrono::milliseconds;

using Row = std::vector<std::optional<std::string>>;

class SqlConnection {
 public:
  virtual ~SqlConnection() = default;
  /// The text as part of a string literal of SQL; nothing when no string can have it (malformed in the
  /// encoding of the connection).
  virtual std::optional<std::string> quote(std::string_view text) = 0;
  /// The rows of all results; at most `max_rows` and one more.
  virtual Answer<std::vector<Row>> query(const std::string& statement, size_t max_rows) = 0;
};
class SqlDriver {
 public:
  virtual ~SqlDriver() = default;
  virtual Answer<std::unique_ptr<SqlConnection>> connect(const Server& server, const Settings& settings,
                                                         Timeout timeout) = 0;
};

enum class LdapScope : unsigned char { base, one, sub };
struct LdapEntry {
  std::string dn;
  /// Names as the server writes them, each with its values.
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;
};
struct LdapSearch {
  std::string base;
  LdapScope scope = LdapScope::sub;
  std::string filter;
  std::vector<std::string> attributes;
  int size_limit = 0;
};
/// `no_base`: there is nothing where the search was to begin.
struct LdapResult {
  std::vector<LdapEntry> entries;
  bool no_base = false;
};
/// What an attribute's value refers to with an URL: "ldap:///base?attributes?scope?filter".
struct LdapUrl {
  std::string base, filter;
  LdapScope scope = LdapScope::base;
  std::vector<std::string> attributes;
};
class LdapConnection {
 public:
  virtual ~LdapConnection() = default;
  virtual Answer<LdapResult> search(const LdapSearch& search) = 0;
};
class LdapDriver {
 public:
  virtual ~LdapDriver() = default;
  virtual Answer<std::unique_ptr<LdapConnection>> connect(const std::string& url, const Settings& settings,
                                                          Timeout timeout) = 0;
  /// Nothing when the text is no such URL.
  virtual std::optional<LdapUrl> parse_url(const std::string& text) = 0;
};

/// A reply of the Redis protocol.
struct RedisReply {
  enum class Kind : unsigned char { nil, text, number, error, array };
  Kind kind = Kind::nil;
  std::string text;               ///< Also of a number and an error.
  std::vector<RedisReply> items;  ///< Of an array.
};
class RedisConnection {
 public:
  virtual ~RedisConnection() = default;
  /// An error reply is a reply, not a failure.
  virtual Answer<RedisReply> command(const std::vector<std::string>& words) = 0;
};
class RedisDriver {
 public:
  virtual ~RedisDriver() = default;
  /// Connects and says who one is: user, password, database; tls and its relatives.
  virtual Answer<std::unique_ptr<RedisConnection>> connect(const Server& server, const Settings& settings,
                                                           Timeout timeout) = 0;
};

/// Message digests, which only tables with a key_digest need.
class DigestDriver {
 public:
  virtual ~DigestDriver() = default;
  /// The digest in binary; nothing for an unknown algorithm. Does not block.
  virtual std::optional<std::string> digest(const std::string& algorithm, std::string_view text) = 0;
};

/// For plug-ins of others: any kind of table that is asked with a key.
class LookupConnection {
 public:
  virtual ~LookupConnection() = default;
  virtual Answer<std::optional<std::string>> lookup(std::string_view key) = 0;
};
class LookupDriver {
 public:
  virtual ~LookupDriver() = default;
  /// `name` is what follows the type, "/etc/postfix/x" in "foo:/etc/postfix/x".
  virtual Answer<std::unique_ptr<LookupConnection>> connect(const std::string& name, Timeout timeout) = 0;
};

#define POSTRIDER_DRIVER_NAME_(kind, version) postrider_##kind##_driver_##version
#define POSTRIDER_DRIVER_NAME(kind, version) POSTRIDER_DRIVER_NAME_(kind, version)
/// The function that a plug-in exports: POSTRIDER_EXPORT_DRIVER(sql, SqlDriver) { static MyDriver d; return
/// &d; }
#define POSTRIDER_EXPORT_DRIVER(kind, type)                                                                  \
  extern "C" __attribute__((visibility("default"))) ::postrider::table::driver::type* POSTRIDER_DRIVER_NAME( \
      kind, POSTRIDER_DRIVER_VERSION)()

}  // namespace postrider::table::driver

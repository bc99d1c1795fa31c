// The servers of a database, and which of them to ask.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "table/driver.h"

namespace postrider::table {

/// Servers that failed are left alone for a while. Those that are connected come first, UNIX-domain sockets
/// before others, and among equals the choice is by chance.
class ServerList {
 public:
  struct Entry {
    driver::Server server;
    std::string shown;         ///< For messages: without "unix:" or "inet:".
    std::string text;          ///< As in the configuration.
    std::string unknown_port;  ///< A name of which nobody knows the number.
  };
  ServerList(std::vector<Entry> entries, seconds retry_after);

  /// The servers to try for one request, in this order; none when all have failed lately. `connected` tells
  /// for each whether it has a connection.
  std::vector<size_t> order(const std::vector<bool>& connected) const;
  void failed(size_t index);
  void worked(size_t index) { failed_until_[index] = Clock::time_point::min(); }

  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
  std::vector<Clock::time_point> failed_until_;
  seconds retry_after_;
};

/// "host", "host:port", "inet:host:port", "unix:/path", "[2001:db8::1]:port", "scheme://...": as in `hosts`
/// of mysql_table(5) and pgsql_table(5).
ServerList::Entry parse_server(std::string_view text);

}  // namespace postrider::table

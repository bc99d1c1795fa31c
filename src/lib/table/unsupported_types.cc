// Table types that other mail systems have and this one has not.
#include "table/internal.h"

namespace postrider::table {

namespace {

constexpr struct {
  std::string_view type, reason;
} kUnsupported[] = {
    {"dbm", "there is no DBM library for this system; use lmdb, hash or cdb"},
    {"internal", "these tables belong to other mail systems' daemons"},
    {"mongodb", "there is no MongoDB client in this release; use pgsql, mysql, ldap or redis"},
    {"netinfo", "NetInfo was a service of NeXT's systems"},
    {"nis", "there is no NIS client in this release; use ldap, or unix with the system's name service"},
    {"nisplus", "there are no NIS+ systems any more; use ldap"},
    {"sdbm", "there is no SDBM library for this system; use lmdb, hash or cdb"},
};

}  // namespace

std::string_view why_unsupported(std::string_view type) {
  for (const auto& row : kUnsupported)
    if (row.type == type) return row.reason;
  return {};
}

}  // namespace postrider::table

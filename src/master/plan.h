// How many processes a service gets, and how many clients each of them.
#pragma once

#include <string_view>

#include "config/config.h"

namespace postrider::master {

/// What the process limit of master.cf means for a program.
enum class Concurrency : unsigned char {
  one_client,  ///< A process serves one client at a time: it takes on the identities of users.
  counted,     ///< The limit counts clients; a process serves many.
  shared,      ///< The limit counts processes; a process serves all who come.
};

Concurrency concurrency_of(std::string_view program);

struct Plan {
  int processes = 1;     ///< At most so many at a time.
  int clients = 1;       ///< All processes together.
  int clients_each = 1;  ///< For Concurrency::shared and one_client; counted services divide `clients`.
  bool divided = false;

  /// Of the process in place `slot`, 0 to processes - 1.
  int clients_of(int slot) const {
    return divided ? clients / processes + (slot < clients % processes ? 1 : 0) : clients_each;
  }
};

/// `limit` is the column of master.cf: -1 for "-", 0 for no limit. `cores`: processors of this machine.
Plan make_plan(const config::Config& config, std::string_view program, int limit, int cores);

}  // namespace postrider::master

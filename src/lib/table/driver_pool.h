// Connections of a client library, used on threads.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/loop.h"
#include "io/offload.h"
#include "io/sync.h"
#include "table/driver.h"

namespace postrider::table {

/// Keeps connections to one server, and lends each to one request at a time. A request that comes when all
/// are in use waits; so a server that stalls holds up those who ask it and nobody else, and no more than a
/// few threads. Outside a fiber everything happens on the spot. Owned by std::shared_ptr: a thread that is
/// still busy when the deadline has passed keeps it alive.
template <typename Connection>
class DriverPool : public std::enable_shared_from_this<DriverPool<Connection>> {
 public:
  using Connect = std::function<driver::Answer<std::unique_ptr<Connection>>(driver::Timeout)>;
  struct Limits {
    size_t connections = 8;
    seconds timeout{10};  ///< For each step of the library.
    seconds idle{60};     ///< An unused connection is closed after this time.
  };
  DriverPool(Connect connect, Limits limits)
      : connect_(std::move(connect)), limits_(limits), places_(limits.connections) {
    // Servers that stall must not take the threads that others wait for.
    io::add_offload_threads(static_cast<ptrdiff_t>(limits_.connections));
  }
  DriverPool(const DriverPool&) = delete;
  DriverPool& operator=(const DriverPool&) = delete;
  ~DriverPool() { io::add_offload_threads(-static_cast<ptrdiff_t>(limits_.connections)); }

  /// Whether a connection is there from an earlier request.
  bool is_connected() const { return !idle_.empty() || in_use_ > 0; }

  /// Calls `ask(connection)` on a thread; connects first when no connection is idle. A failure of an idle
  /// connection that is not permanent may only mean that the server has closed it: then once more on a new
  /// one. The outer error: the deadline passed. `connecting` tells a failure to connect from one of the
  /// request.
  template <typename Ask>
  auto use(Ask ask, Deadline deadline, bool* connecting = nullptr)
      -> Result<std::invoke_result_t<Ask&, Connection&>> {
    using Outcome = std::invoke_result_t<Ask&, Connection&>;
    if (io::in_fiber() && !places_.acquire(deadline)) return fail(ErrorKind::timeout, "timed out");
    // A thread that is still busy when the deadline has passed keeps its place.
    auto job = [self = this->shared_from_this(), place = Place(this), connection = take_idle(),
                ask = std::move(ask)]() mutable {
      return self->template work<Outcome>(std::move(connection), ask);
    };
    auto done = TRY(io::offload(std::move(job), deadline));
    if (done.connection) put_idle(std::move(done.connection));
    if (connecting != nullptr) *connecting = done.connecting;
    return std::move(done.outcome);
  }

  /// Closes what is idle.
  void disconnect() {
    if (idle_.empty()) return;
    // Closing may talk to the server.
    (void)io::offload(
        [closed = std::exchange(idle_, {})]() mutable {
          closed.clear();
          return true;
        },
        Deadline::after(limits_.timeout));
  }

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };
  template <typename Outcome>
  struct Done {
    Outcome outcome;
    std::unique_ptr<Connection> connection;
    bool connecting = false;
  };
  /// One of the places for requests under way.
  class Place {
   public:
    explicit Place(DriverPool* pool) : pool_(pool), counted_(io::in_fiber()) { ++pool_->in_use_; }
    Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), counted_(other.counted_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (pool_ == nullptr) return;
      --pool_->in_use_;
      if (counted_) pool_->places_.release();
    }

   private:
    DriverPool* pool_;
    bool counted_;
  };

  /// On a thread.
  template <typename Outcome, typename Ask>
  Done<Outcome> work(std::unique_ptr<Connection> connection, Ask& ask) const {
    if (connection) {
      Outcome outcome = ask(*connection);
      if (outcome || outcome.error().permanent) return {std::move(outcome), std::move(connection), false};
      connection.reset();
    }
    auto connected = connect_(std::chrono::duration_cast<driver::Timeout>(limits_.timeout));
    if (!connected) return {std::unexpected(std::move(connected).error()), nullptr, true};
    Outcome outcome = ask(**connected);
    if (outcome || outcome.error().permanent) return {std::move(outcome), std::move(*connected), false};
    return {std::move(outcome), nullptr, false};
  }

  std::unique_ptr<Connection> take_idle() {
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Connection> out = std::move(idle_.back().connection);
    idle_.pop_back();
    return out;
  }

  void put_idle(std::unique_ptr<Connection> connection) {
    idle_.push_back({std::move(connection), Clock::now()});
    if (!io::Loop::exists()) return;
    if (!timer_) {
      timer_ = std::make_unique<io::Timer>([weak = this->weak_from_this()] {
        if (auto self = weak.lock()) io::spawn([self] { self->close_old(); });
      });
    }
    if (!timer_->pending()) timer_->start(limits_.idle);
  }

  void close_old() {
    std::vector<std::unique_ptr<Connection>> closed;
    Clock::time_point limit = Clock::now() - limits_.idle;
    while (!idle_.empty() && idle_.front().since <= limit) {
      closed.push_back(std::move(idle_.front().connection));
      idle_.erase(idle_.begin());
    }
    if (!idle_.empty()) timer_->start(idle_.front().since + limits_.idle - Clock::now());
    if (closed.empty()) return;
    (void)io::offload(
        [list = std::move(closed)]() mutable {
          list.clear();
          return true;
        },
        Deadline::after(limits_.timeout));
  }

  Connect connect_;
  Limits limits_;
  io::Semaphore places_;
  size_t in_use_ = 0;
  std::vector<Idle> idle_;  // The oldest first.
  std::unique_ptr<io::Timer> timer_;
};

}  // namespace postrider::table

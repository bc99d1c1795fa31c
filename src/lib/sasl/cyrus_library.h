// What server and client share of the Cyrus SASL library; inside this folder only.
//
// The library may block in any step: it asks saslauthd, opens databases, or sleeps. All of it runs on other
// threads, where nothing is logged: what the library says is collected and logged afterwards.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sasl/sasl.h>
#include <sasl/saslutil.h>

#include "base/deadline.h"
#include "base/result.h"
#include "io/loop.h"
#include "io/offload.h"
#include "io/sync.h"
#include "sasl/security.h"

namespace postrider::sasl::cyrus {

using Messages = std::vector<std::string>;

/// The function for SASL_CB_LOG: to the log, or to the Collector of this thread.
int on_message(void* context, int level, const char* text);

/// As sasl_callback_t has functions.
template <typename Function>
int (*as_callback(Function* function))() {
  // NOLINTNEXTLINE: there is no other way.
  return reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(function));
}

/// To be called before the library is initialised.
void prepare_library();

/// The library's words for a status.
std::string text_of(int status);
unsigned flags_of(const SecurityOptions& options);

/// The library's decoder and none of our own: its opinion about a bad text is what logs have.
int decode(std::string_view text, std::string& to);
/// Base64 of `bytes`; an error when there would be too much of it.
Result<std::string> encode(std::string_view bytes);

/// The library's object; a step that nobody waits for any longer keeps it alive.
struct Connection {
  sasl_conn_t* handle = nullptr;
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (handle) sasl_dispose(&handle);
  }
};

/// Collects what the library says on this thread while it lives.
class Collector {
 public:
  explicit Collector(Messages& to);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector();
};

/// Runs steps on other threads, some at a time: behind most of them is one and the same daemon.
class Runner {
 public:
  /// Adds the threads.
  Runner();

  /// Runs `step` and returns what it returns; it can add to the messages that it is given. An error means
  /// that it took too long.
  template <typename Step>
  auto run(Step step, Deadline deadline) -> Result<decltype(step(std::declval<Messages&>()))> {
    using Value = decltype(step(std::declval<Messages&>()));
    using Answer = std::pair<Value, Messages>;
    if (!free_->acquire(deadline)) return fail(ErrorKind::timeout, "timed out");
    // A step that takes too long keeps its place until it has ended: the threads are not only for this.
    auto result = io::offload(
        [step = std::move(step), free = free_, &loop = io::Loop::current()]() mutable {
          Messages messages;
          Collector collector(messages);
          Value value = step(messages);
          loop.post([free = std::move(free)] { free->release(); });
          return Answer(std::move(value), std::move(messages));
        },
        deadline);
    if (!result) return std::unexpected(std::move(result).error());
    log_all(result->second);
    return std::move(result->first);
  }

 private:
  static void log_all(const Messages& messages);
  std::shared_ptr<io::Semaphore> free_;
};

}  // namespace postrider::sasl::cyrus

#include "sasl/cyrus_library.h"

#include <mutex>

#include <fmt/format.h>

#include "log/log.h"
#include "sasl/server.h"

namespace postrider::sasl::cyrus {

namespace {

/// Steps at a time.
constexpr size_t kThreads = 8;
constexpr size_t kMaxMessages = 20;

thread_local Messages* collected = nullptr;  // Of the step at hand.

std::string message_text(int level, const char* text) {
  if (level == SASL_LOG_FAIL) return fmt::format("SASL authentication failure: {}", text);
  return fmt::format("SASL authentication {}: {}", level == SASL_LOG_ERR ? "problem" : "warning", text);
}

void* new_mutex() {
  return new std::mutex;  // NOLINT: free_mutex() deletes it.
}
int lock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->lock();
  return 0;
}
int unlock_mutex(void* mutex) {
  static_cast<std::mutex*>(mutex)->unlock();
  return 0;
}
void free_mutex(void* mutex) {
  delete static_cast<std::mutex*>(mutex);  // NOLINT
}

}  // namespace

int on_message(void*, int level, const char* text) {
  if (!text || level == SASL_LOG_NONE || level >= SASL_LOG_NOTE) return SASL_OK;
  if (!collected) {
    log::warning("{}", message_text(level, text));
  } else if (collected->size() < kMaxMessages) {
    collected->push_back(message_text(level, text));
  }
  return SASL_OK;
}

void prepare_library() {
  sasl_set_mutex(new_mutex, lock_mutex, unlock_mutex, free_mutex);
}

std::string text_of(int status) {
  // That there is no such user is nobody else's business.
  return sasl_errstring(status == SASL_NOUSER ? SASL_BADAUTH : status, nullptr, nullptr);
}

unsigned flags_of(const SecurityOptions& options) {
  return (options.noplaintext ? SASL_SEC_NOPLAINTEXT : 0U) | (options.noactive ? SASL_SEC_NOACTIVE : 0U) |
         (options.nodictionary ? SASL_SEC_NODICTIONARY : 0U) |
         (options.noanonymous ? SASL_SEC_NOANONYMOUS : 0U) |
         (options.forward_secrecy ? SASL_SEC_FORWARD_SECRECY : 0U) |
         (options.mutual_auth ? SASL_SEC_MUTUAL_AUTH : 0U);
}

int decode(std::string_view text, std::string& to) {
  to.resize(text.size() + 1);
  unsigned length = 0;
  int status = text.empty() ? SASL_OK
                            : sasl_decode64(text.data(), static_cast<unsigned>(text.size()), to.data(),
                                            static_cast<unsigned>(to.size()), &length);
  to.resize(length);
  return status;
}

Result<std::string> encode(std::string_view bytes) {
  size_t room = bytes.size() / 3 * 4 + 5;
  if (room > kMaxChallenge) return fail(ErrorKind::limit, "challenge too long");
  std::string text(room, '\0');
  unsigned length = 0;
  int status = sasl_encode64(bytes.data(), static_cast<unsigned>(bytes.size()), text.data(),
                             static_cast<unsigned>(text.size()), &length);
  if (status != SASL_OK) return fail(ErrorKind::limit, text_of(status));
  text.resize(length);
  return text;
}

Collector::Collector(Messages& to) {
  collected = &to;
}
Collector::~Collector() {
  collected = nullptr;
}

Runner::Runner() : free_(std::make_shared<io::Semaphore>(kThreads)) {
  io::add_offload_threads(kThreads);
}

void Runner::log_all(const Messages& messages) {
  for (const std::string& message : messages)
    log::warning("{}", message);
}

}  // namespace postrider::sasl::cyrus

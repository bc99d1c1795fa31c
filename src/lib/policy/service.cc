#include "policy/service.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"
#include "net/endpoint.h"

namespace postrider::policy {

namespace {

constexpr size_t kMaxLine = 16 * 1024;
constexpr size_t kMaxLines = 100;
/// Connections that nobody uses and that are kept all the same.
constexpr size_t kMaxIdle = 100;
/// Postfix's word for all that a service can do wrong but being silent; what it was has been logged before.
constexpr const char* kBadAnswer = "Application error";

}  // namespace

std::optional<std::string> action_of(std::string_view reply) {
  for (std::string_view line : split_each(reply, '\n')) {
    if (line.starts_with("action=")) return std::string(line.substr(7));
  }
  return std::nullopt;
}

struct Lease::Connection {
  explicit Connection(io::Stream s) : stream(std::move(s)) {}
  io::Stream stream;
  Clock::time_point opened = Clock::now(), used = opened;
  size_t requests = 0;

  /// Whether another question can go over it.
  bool is_good(const ServiceSettings& settings) {
    Clock::time_point now = Clock::now();
    if (now - opened >= settings.max_ttl || now - used >= settings.max_idle) return false;
    if (settings.request_limit > 0 && requests >= settings.request_limit) return false;
    // Nothing is owed: input means that the service has closed it, or lost its way.
    return !stream.broken() && !stream.fill_available() && !stream.at_end();
  }
};

Service::Service(ServiceSettings settings) : settings_(std::move(settings)) {}
Service::~Service() = default;

std::unique_ptr<Lease::Connection> Service::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->is_good(settings_)) return connection;
  }
  return nullptr;
}

void Service::give_back(std::unique_ptr<Lease::Connection> connection) {
  if (idle_.size() >= kMaxIdle || !connection->is_good(settings_)) return;
  idle_.push_back(std::move(connection));
  if (!timer_) timer_ = std::make_unique<io::Timer>([this] { drop_idle(); });
  if (!timer_->pending()) timer_->start(settings_.max_idle);
}

void Service::drop_idle() {
  std::erase_if(idle_, [&](const auto& connection) { return !connection->is_good(settings_); });
  if (!idle_.empty()) timer_->start(seconds(1));
}

Result<io::Stream> Service::connect(Deadline deadline) const {
  auto stream = net::connect(settings_.endpoint, "unix", deadline);
  if (!stream) log::warning("connect to {}: {}", settings_.address(), net::reason_of(stream.error()));
  return stream;
}

Lease::Lease(std::shared_ptr<Service> service) : service_(std::move(service)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() {
  if (connection_) service_->give_back(std::move(connection_));
}

std::string Lease::ask(const Attributes& attributes, Deadline deadline) {
  const ServiceSettings& settings = service_->settings();
  std::string request;
  for (const auto& [name, value] : attributes)
    request += fmt::format("{}={}\n", name, value);
  request += '\n';
  for (size_t attempt = 1;;) {
    bool reused = false;
    auto answer = ask_once(request, Deadline::after(settings.timeout).or_sooner(deadline), reused);
    if (answer) return std::move(*answer);
    connection_.reset();
    // A service may close a connection that was idle at any time.
    if (reused && answer.error().kind == ErrorKind::closed) continue;
    bool last = attempt++ >= settings.try_limit || deadline.passed();
    // That it has closed the connection, or answers nonsense, need not happen again.
    const Error& error = answer.error();
    bool usual = error.kind == ErrorKind::closed || error.kind == ErrorKind::invalid || error.code == ENOENT;
    if (last || !usual) {
      log::warning("problem talking to server {}: {}", settings.address(),
                   error.kind == ErrorKind::closed || error.kind == ErrorKind::invalid
                       ? kBadAnswer
                       : net::reason_of(error));
    }
    if (last) return settings.default_action;
    io::sleep_until(Deadline::after(settings.retry_delay).or_sooner(deadline));
  }
}

Result<std::string> Lease::ask_once(const std::string& request, Deadline deadline, bool& reused) {
  if (connection_ && !connection_->is_good(service_->settings())) connection_.reset();
  if (!connection_) connection_ = service_->take_idle();
  reused = connection_ != nullptr && connection_->requests > 0;
  if (!connection_) connection_ = std::make_unique<Connection>(TRY(service_->connect(deadline)));
  io::Stream& stream = connection_->stream;
  ++connection_->requests;
  stream.write(request);
  TRY(stream.flush(deadline));
  std::string reply;
  for (size_t lines = 0; lines < kMaxLines; ++lines) {
    io::Line line = TRY(stream.read_line(kMaxLine, deadline));
    if (line.end == io::LineEnd::eof) {
      log::warning("premature end-of-input on {} while reading input attribute {}",
                   service_->settings().address(),
                   line.text.find('=') == std::string_view::npos ? "name" : "value");
    }
    if (line.end == io::LineEnd::partial || line.end == io::LineEnd::eof) break;
    if (line.text.empty()) {
      auto action = action_of(reply);
      if (!action) {
        log::warning("missing attribute action in input from {}", service_->settings().address());
        break;
      }
      connection_->used = Clock::now();
      return std::move(*action);
    }
    reply += line.text;
    reply += '\n';
  }
  return fail(ErrorKind::invalid, "malformed reply");
}

}  // namespace postrider::policy

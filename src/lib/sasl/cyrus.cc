#include "sasl/cyrus.h"

#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "sasl/cyrus_library.h"
#include "sys/file.h"

namespace postrider::sasl {

namespace {

using namespace cyrus;  // NOLINT

constexpr size_t kMaxConfigSize = 256 * 1024;
std::string search_path;  // NOLINT: the library asks anew each time.

int on_config_path(void*, char** path) {
  *path = ::strdup(search_path.c_str());
  return *path ? SASL_OK : SASL_NOMEM;
}

bool is_temporary(int status) {
  return status == SASL_FAIL || status == SASL_NOMEM || status == SASL_TRYAGAIN || status == SASL_UNAVAIL;
}

struct Parameters {
  std::string service, hostname, realm;
  unsigned flags = 0;
};

int make_connection(Connection& connection, const Parameters& p) {
  int status =
      sasl_server_new(p.service.c_str(), p.hostname.c_str(), p.realm.empty() ? nullptr : p.realm.c_str(),
                      nullptr, nullptr, nullptr, 0, &connection.handle);
  if (status != SASL_OK) return status;
  sasl_security_properties_t properties{};  // No security layers: TLS is for that.
  properties.security_flags = p.flags;
  return sasl_setprop(connection.handle, SASL_SEC_PROPS, &properties);
}

std::optional<std::string> login_of(sasl_conn_t* handle) {
  const void* value = nullptr;
  if (sasl_getprop(handle, SASL_USERNAME, &value) != SASL_OK || !value) return std::nullopt;
  return printable(static_cast<const char*>(value));
}

Outcome failure(sasl_conn_t* handle, int status) {
  Outcome out = is_temporary(status) ? Outcome::temporary(text_of(status)) : Outcome::failed(text_of(status));
  if (handle) out.login = login_of(handle);
  return out;
}

Outcome outcome_of(sasl_conn_t* handle, int status, const char* output, unsigned length) {
  if (status == SASL_OK) {
    auto login = login_of(handle);
    if (!login || login->empty()) return Outcome::temporary("no login name");
    return {Outcome::Kind::done, {}, std::move(login)};
  }
  if (status != SASL_CONTINUE) return failure(handle, status);
  auto text = encode({output ? output : "", output ? length : 0});
  if (!text) return Outcome::failed(text.error().text);
  return {Outcome::Kind::challenge, std::move(*text), {}};
}

Outcome begin_exchange(Connection& connection, const Parameters& parameters, const std::string& mechanism,
                       const std::optional<std::string>& initial) {
  if (int status = make_connection(connection, parameters); status != SASL_OK)
    return failure(connection.handle, status);
  std::string input;
  if (initial) {
    if (int status = decode(*initial, input); status != SASL_OK) return failure(nullptr, status);
  }
  const char* output = nullptr;
  unsigned length = 0;
  int status = sasl_server_start(connection.handle, mechanism.c_str(), initial ? input.c_str() : nullptr,
                                 static_cast<unsigned>(input.size()), &output, &length);
  return outcome_of(connection.handle, status, output, length);
}

Outcome continue_exchange(Connection& connection, const std::string& response) {
  std::string input;
  if (int status = decode(response, input); status != SASL_OK) return failure(nullptr, status);
  const char* output = nullptr;
  unsigned length = 0;
  int status = sasl_server_step(connection.handle, input.c_str(), static_cast<unsigned>(input.size()),
                                &output, &length);
  return outcome_of(connection.handle, status, output, length);
}

std::vector<std::string> list_mechanisms(Connection& connection, const Parameters& parameters,
                                         Messages& messages) {
  std::vector<std::string> out;
  const char* list = nullptr;
  int count = 0;
  int status = make_connection(connection, parameters);
  if (status == SASL_OK)
    status = sasl_listmech(connection.handle, nullptr, "", " ", "", &list, nullptr, &count);
  if (status == SASL_OK && list) {
    for (std::string_view name : split_any(list, " ")) {
      if (out.size() < kMaxMechanisms) out.emplace_back(name);
    }
  } else {
    messages.push_back(fmt::format("SASL mechanism list: {}", text_of(status)));
  }
  return out;
}

class CyrusService : public Service {
 public:
  explicit CyrusService(const ServiceSettings& settings) : settings_(settings) {}
  std::unique_ptr<Server> begin(Peer peer, SecurityOptions options) override;
  std::vector<std::string> paths() const override;

  const ServiceSettings& settings() const { return settings_; }
  Runner& runner() { return runner_; }
  Deadline step_deadline(Deadline deadline) const {
    return Deadline::after(settings_.answer_timeout).or_sooner(deadline);
  }

 private:
  ServiceSettings settings_;
  Runner runner_;
};

class CyrusServer : public Server {
 public:
  CyrusServer(CyrusService& service, SecurityOptions options) : service_(service) {
    const ServiceSettings& s = service.settings();
    parameters_ = {s.service, s.hostname, s.realm, flags_of(options)};
  }

  Result<std::vector<std::string>> mechanisms(Deadline deadline) override {
    return service_.runner().run(
        [connection = std::make_shared<Connection>(), parameters = parameters_](Messages& messages) {
          return list_mechanisms(*connection, parameters, messages);
        },
        service_.step_deadline(deadline));
  }

  Outcome first(std::string_view mechanism, std::optional<std::string_view> initial,
                Deadline deadline) override {
    connection_ = std::make_shared<Connection>();
    std::optional<std::string> input;
    if (initial) input = std::string(*initial);
    return step([connection = connection_, parameters = parameters_, name = std::string(mechanism),
                 input = std::move(input)](
                    Messages&) { return begin_exchange(*connection, parameters, name, input); },
                deadline);
  }

  Outcome next(std::string_view response, Deadline deadline) override {
    if (!connection_ || !connection_->handle) return Outcome::failed("no exchange");
    return step([connection = connection_,
                 input = std::string(response)](Messages&) { return continue_exchange(*connection, input); },
                deadline);
  }

  void cancel(Deadline) override { connection_.reset(); }

 private:
  template <typename Step>
  Outcome step(Step step, Deadline deadline) {
    auto outcome = service_.runner().run(std::move(step), service_.step_deadline(deadline));
    if (outcome) return std::move(*outcome);
    // It may still be at work.
    connection_.reset();
    return Outcome::temporary("authentication takes too long");
  }

  CyrusService& service_;
  Parameters parameters_;
  std::shared_ptr<Connection> connection_;
};

std::unique_ptr<Server> CyrusService::begin(Peer, SecurityOptions options) {
  return std::make_unique<CyrusServer>(*this, options);
}

/// Values of the configuration file that are names of files: the user database, keys, the socket of
/// saslauthd.
std::vector<std::string> CyrusService::paths() const {
  std::vector<std::string> out;
  for (std::string_view directory : split_any(search_path, ":")) {
    auto text = sys::read_file(fmt::format("{}/{}.conf", directory, settings_.path), kMaxConfigSize);
    if (!text) continue;
    for (std::string_view line : split_any(*text, "\r\n")) {
      size_t colon = line.find(':');
      if (line.starts_with('#') || colon == std::string_view::npos) continue;
      std::string_view value = trim(line.substr(colon + 1));
      if (value.starts_with('/')) out.emplace_back(value);
    }
    break;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Service>> create_cyrus_service(const ServiceSettings& settings) {
  static const sasl_callback_t callbacks[] = {
      {SASL_CB_LOG, as_callback(on_message), nullptr},
      {SASL_CB_GETCONFPATH, as_callback(on_config_path), nullptr},
      {SASL_CB_LIST_END, nullptr, nullptr},
  };
  search_path = settings.config_path;
  if (search_path.empty()) {
    search_path = fmt::format("{}/sasl:/etc/sasl2:/etc/sasl:{}", settings.config_directory,
                              POSTRIDER_CYRUS_SASL_DIRECTORY);
  }
  prepare_library();
  if (int status = sasl_server_init(callbacks, settings.path.c_str()); status != SASL_OK)
    return fail(ErrorKind::system, fmt::format("SASL library initialization: {}", text_of(status)));
  return std::make_unique<CyrusService>(settings);
}

}  // namespace postrider::sasl

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "sasl/cyrus.h"
#include "sasl/cyrus_library.h"

namespace postrider::sasl {

namespace {

using namespace cyrus;  // NOLINT

/// What the library asks for during an exchange.
struct Identity {
  std::string authorization, user;
  std::unique_ptr<sasl_secret_t, decltype(&std::free)> secret{nullptr, &std::free};
  sasl_callback_t callbacks[5];

  Identity(const Credentials& credentials, bool authorize_as_user) : user(credentials.user) {
    if (authorize_as_user) authorization = user;
    const std::string& password = credentials.password;
    auto* raw = static_cast<sasl_secret_t*>(std::malloc(sizeof(sasl_secret_t) + password.size()));  // NOLINT
    if (raw == nullptr) std::abort();
    raw->len = password.size();
    std::memcpy(raw->data, password.c_str(), password.size() + 1);
    secret.reset(raw);
    callbacks[0] = {SASL_CB_USER, as_callback(on_name), this};
    callbacks[1] = {SASL_CB_AUTHNAME, as_callback(on_name), this};
    callbacks[2] = {SASL_CB_PASS, as_callback(on_password), this};
    callbacks[3] = {SASL_CB_LOG, as_callback(on_message), nullptr};
    callbacks[4] = {SASL_CB_LIST_END, nullptr, nullptr};
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  static int on_name(void* context, int id, const char** value, unsigned* length) {
    auto* self = static_cast<Identity*>(context);
    const std::string& name = id == SASL_CB_USER ? self->authorization : self->user;
    *value = name.c_str();
    if (length) *length = static_cast<unsigned>(name.size());
    return SASL_OK;
  }
  static int on_password(sasl_conn_t*, void* context, int, sasl_secret_t** secret) {
    *secret = static_cast<Identity*>(context)->secret.get();
    return SASL_OK;
  }
};

/// The exchange and what it refers to, for as long as a step is at work.
struct Exchange {
  Identity identity;  // Outlives the connection.
  Connection connection;
  Exchange(const Credentials& credentials, bool authorize_as_user)
      : identity(credentials, authorize_as_user) {}
};

Result<Client::Start> start_exchange(Exchange& exchange, const std::string& service, const std::string& host,
                                     unsigned flags, const std::string& mechanisms) {
  sasl_conn_t*& handle = exchange.connection.handle;
  int status = sasl_client_new(service.c_str(), host.c_str(), nullptr, nullptr, exchange.identity.callbacks,
                               0, &handle);
  if (status != SASL_OK) return fail(ErrorKind::denied, text_of(status));
  sasl_security_properties_t properties{};  // No security layers: TLS is for that.
  properties.security_flags = flags;
  status = sasl_setprop(handle, SASL_SEC_PROPS, &properties);
  if (status != SASL_OK) return fail(ErrorKind::denied, text_of(status));
  const char *output = nullptr, *mechanism = nullptr;
  unsigned length = 0;
  status = sasl_client_start(handle, mechanisms.c_str(), nullptr, &output, &length, &mechanism);
  if (status != SASL_OK && status != SASL_CONTINUE) return fail(ErrorKind::denied, text_of(status));
  Client::Start out;
  out.mechanism = mechanism ? mechanism : "";
  if (output) out.initial = TRY(encode({output, length}));
  return out;
}

Result<std::string> continue_exchange(Exchange& exchange, const std::string& challenge) {
  std::string input;
  if (int status = decode(challenge, input); status != SASL_OK)
    return fail(ErrorKind::denied, text_of(status));
  const char* output = nullptr;
  unsigned length = 0;
  int status = sasl_client_step(exchange.connection.handle, input.c_str(),
                                static_cast<unsigned>(input.size()), nullptr, &output, &length);
  if (status != SASL_OK && status != SASL_CONTINUE) return fail(ErrorKind::denied, text_of(status));
  return encode({output ? output : "", output ? length : 0});
}

class CyrusClientService : public ClientService {
 public:
  explicit CyrusClientService(const ClientSettings& settings) : settings_(settings) {}
  std::unique_ptr<Client> begin(std::string_view host, Credentials credentials,
                                SecurityOptions options) override;

  const ClientSettings& settings() const { return settings_; }
  /// A step's result, or that it took too long.
  template <typename Step>
  auto run(Step step, Deadline deadline) -> decltype(step(std::declval<Messages&>())) {
    auto result = runner_.run(std::move(step), Deadline::after(settings_.step_timeout).or_sooner(deadline));
    if (!result) return std::unexpected(std::move(result).error());
    return std::move(*result);
  }

 private:
  ClientSettings settings_;
  Runner runner_;
};

class CyrusClient : public Client {
 public:
  CyrusClient(CyrusClientService& service, std::string host, Credentials credentials, SecurityOptions options)
      : service_(service), host_(std::move(host)), credentials_(std::move(credentials)), options_(options) {}

  Result<Start> start(std::string_view mechanisms, Deadline deadline) override {
    const ClientSettings& settings = service_.settings();
    exchange_ = std::make_shared<Exchange>(credentials_, settings.authorize_as_user);
    return service_.run([exchange = exchange_, name = settings.service, host = host_,
                         flags = flags_of(options_), list = std::string(mechanisms)](
                            Messages&) { return start_exchange(*exchange, name, host, flags, list); },
                        deadline);
  }

  Result<std::string> respond(std::string_view challenge, Deadline deadline) override {
    if (!exchange_ || !exchange_->connection.handle) return fail(ErrorKind::denied, "no exchange");
    return service_.run([exchange = exchange_, text = std::string(challenge)](
                            Messages&) { return continue_exchange(*exchange, text); },
                        deadline);
  }

 private:
  CyrusClientService& service_;
  std::string host_;
  Credentials credentials_;
  SecurityOptions options_;
  std::shared_ptr<Exchange> exchange_;
};

std::unique_ptr<Client> CyrusClientService::begin(std::string_view host, Credentials credentials,
                                                  SecurityOptions options) {
  return std::make_unique<CyrusClient>(*this, std::string(host), std::move(credentials), options);
}

}  // namespace

Result<std::unique_ptr<ClientService>> create_cyrus_client_service(const ClientSettings& settings) {
  static const sasl_callback_t callbacks[] = {
      {SASL_CB_LOG, as_callback(on_message), nullptr},
      {SASL_CB_LIST_END, nullptr, nullptr},
  };
  prepare_library();
  if (int status = sasl_client_init(callbacks); status != SASL_OK)
    return fail(ErrorKind::system, fmt::format("SASL library initialization: {}", text_of(status)));
  return std::make_unique<CyrusClientService>(settings);
}

}  // namespace postrider::sasl

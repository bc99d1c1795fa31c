#include "sasl/client.h"
#include "sasl/dovecot.h"
#include "sasl/server.h"
#ifdef POSTRIDER_HAVE_CYRUS_SASL
#include "sasl/cyrus.h"
#endif

namespace postrider::sasl {

Result<std::unique_ptr<Service>> create_service(const ServiceSettings& settings) {
  if (settings.type == "dovecot") return std::make_unique<DovecotService>(settings);
#ifdef POSTRIDER_HAVE_CYRUS_SASL
  if (settings.type == "cyrus") return create_cyrus_service(settings);
#endif
  return fail(ErrorKind::not_found, "unsupported SASL server implementation: " + settings.type);
}

Result<std::unique_ptr<ClientService>> create_client_service(const ClientSettings& settings) {
#ifdef POSTRIDER_HAVE_CYRUS_SASL
  if (settings.type == "cyrus") return create_cyrus_client_service(settings);
#endif
  return fail(ErrorKind::not_found, "unsupported SASL client implementation: " + settings.type);
}

}  // namespace postrider::sasl

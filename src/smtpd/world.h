// What restrictions ask of the rest of the mail system and of name servers.
#pragma once

#include <vector>

#include "access/judge.h"
#include "clients/rewrite.h"
#include "clients/verify.h"
#include "config/config.h"
#include "dns/host.h"
#include "dns/resolver.h"
#include "smtpd/client.h"

namespace postrider::smtpd {

class NetworkWorld : public access::World {
 public:
  NetworkWorld(const config::Config& config, std::shared_ptr<dns::ReplyFilter> filter);

  /// Reads what the sandbox may hide later.
  void prepare();
  /// Finds the client's name.
  void name_client(Client& client, Deadline deadline);

  Result<proto::ResolveReply> resolve(std::string_view sender, std::string_view address,
                                      Deadline deadline) override;
  dns::Answer lookup(std::string_view name, std::span<const dns::Type> types, Deadline deadline) override;
  sys::HostAnswer addresses(std::string_view host, Deadline deadline) override;
  Result<proto::VerifyAnswer> verify(std::string_view address, Deadline deadline) override;

 private:
  clients::RewriteClient rewrite_;
  clients::VerifyClient verify_;
  dns::Resolver resolver_;
  dns::HostLookup hosts_;
  std::vector<int> families_;
};

}  // namespace postrider::smtpd

// Asking DNS lists about clients, by way of the dnsblog service.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "config/config.h"
#include "io/loop.h"
#include "ipc/client.h"
#include "postscreen/dnsbl_sites.h"

namespace postrider::postscreen {

/// The answers about one address. Connections of one client that are there at the same time share them.
struct DnsblAnswers {
  explicit DnsblAnswers(const DnsblSites& sites) : score(sites) {}
  DnsblScore score;
  std::vector<io::FdEvents*> waiting;  ///< Those to be woken when the score is complete.
};

/// A share in the answers; who waits for input is woken when they are there.
class DnsblShare {
 public:
  DnsblShare(std::shared_ptr<DnsblAnswers> answers, io::FdEvents& waiter);
  ~DnsblShare();
  DnsblShare(const DnsblShare&) = delete;
  DnsblShare& operator=(const DnsblShare&) = delete;
  const DnsblScore& score() const { return answers_->score; }

 private:
  std::shared_ptr<DnsblAnswers> answers_;
  io::FdEvents& waiter_;
};

class DnsblLookups {
 public:
  /// `sites` must outlive it. `timeout`: what takes longer is no answer.
  DnsblLookups(const config::Config& config, std::string_view service, const DnsblSites& sites,
               seconds timeout);

  /// Begins to ask about an address, unless somebody else's questions about it are still under way.
  std::unique_ptr<DnsblShare> ask(const std::string& address, io::FdEvents& waiter);

 private:
  void ask_list(const std::string& address, const std::string& domain,
                const std::shared_ptr<DnsblAnswers>& answers);

  const DnsblSites& sites_;
  seconds timeout_;
  ipc::Client client_;
  size_t under_way_ = 0;
  std::unordered_map<std::string, std::weak_ptr<DnsblAnswers>, TextHash, std::equal_to<>> known_;
};

}  // namespace postrider::postscreen

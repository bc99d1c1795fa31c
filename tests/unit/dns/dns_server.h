// A small DNS server in fibers of the test process.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "dns/record.h"
#include "dns/resolv_conf.h"
#include "io/stream.h"
#include "io/sync.h"
#include "sys/socket.h"

namespace postrider::dns::test {

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
inline std::string u32(uint32_t value) {
  return u16(value >> 16) + u16(value & 0xffff);
}

inline std::string wire_name(std::string_view name) {
  std::string out;
  for (std::string_view label : split_any(name, ".")) {
    out += static_cast<char>(label.size());
    out += label;
  }
  return out + '\0';
}

inline std::string address_data(std::string_view ip) {
  auto address = sys::Address::from_ip(ip).value();
  return {reinterpret_cast<const char*>(address.bytes().data()), address.bytes().size()};
}
inline std::string mx_data(unsigned preference, std::string_view host) {
  return u16(preference) + wire_name(host);
}
inline std::string srv_data(unsigned priority, unsigned weight, unsigned port, std::string_view host) {
  return u16(priority) + u16(weight) + u16(port) + wire_name(host);
}

inline std::string wire_record(std::string_view owner, Type type, uint32_t ttl, std::string_view data) {
  return wire_name(owner) + u16(static_cast<unsigned>(type)) + u16(1) + u32(ttl) +
         u16(static_cast<unsigned>(data.size())) + std::string(data);
}

/// Authoritative for everything: what it was not told does not exist.
class Server {
 public:
  struct Fault {
    std::optional<int> rcode;  ///< Nothing: no answer at all.
  };

  Server() {
    for (int tries = 0; tries < 20 && !bind_both(); ++tries) {
    }
    group_.spawn([this] { serve_udp(); });
    group_.spawn([this] { serve_tcp(); });
  }
  /// Before it is destroyed, and after the resolver that asks it.
  void stop() {
    release();
    stopping_ = true;
    udp_events_->wake_reader();
    tcp_events_->wake_reader();
    group_.wait(Deadline::after(seconds(10)));
  }

  ResolvConf conf() const {
    ResolvConf conf;
    conf.servers = {address_};
    conf.timeout = milliseconds(2000);
    return conf;
  }
  const sys::Address& address() const { return address_; }

  void add(std::string_view name, Type type, std::string data, uint32_t ttl = 3600) {
    records_[key(name, type)].push_back(wire_record(name, type, ttl, data));
    names_.insert(lowercase(name));
  }
  void a(std::string_view name, std::string_view ip) {
    add(name, ip.find(':') == std::string_view::npos ? Type::a : Type::aaaa, address_data(ip));
  }
  void mx(std::string_view name, unsigned preference, std::string_view host) {
    add(name, Type::mx, mx_data(preference, host));
  }
  void cname(std::string_view name, std::string_view target) { aliases_[lowercase(name)] = target; }
  void remove(std::string_view name, Type type) { records_.erase(key(name, type)); }
  /// Answers for the name and type fail with the response code, or do not come at all.
  void fail(std::string_view name, Type type, std::optional<int> rcode) {
    faults_[key(name, type)] = {rcode};
  }
  void fail(std::string_view name, std::optional<int> rcode) { faults_[lowercase(name)] = {rcode}; }
  void heal(std::string_view name, Type type) { faults_.erase(key(name, type)); }
  /// The whole message after the id.
  void raw(std::string_view name, Type type, std::string message) {
    raw_[key(name, type)] = std::move(message);
  }
  /// Names at or below this one are answered with the AD bit.
  void secure(std::string_view name) { secure_.insert(lowercase(name)); }
  /// Aliases are answered without what they lead to.
  bool split_aliases = false;
  /// Adds a SOA record with this TTL to negative answers.
  std::optional<uint32_t> negative_ttl;
  /// Holds all answers until release().
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    released_.notify_all();
  }

  /// "name TYPE", with "/tcp" behind it for those over TCP.
  std::vector<std::string> queries;
  std::set<int> client_ports;
  size_t count(std::string_view query) const {
    size_t n = 0;
    for (const std::string& seen : queries)
      n += seen == query;
    return n;
  }

 private:
  static std::string key(std::string_view name, Type type) { return lowercase(name) + " " + type_name(type); }

  bool bind_both() {
    auto tcp = sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 10);
    if (!tcp) return false;
    address_ = sys::local_address(tcp->get()).value();
    sys::Fd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::bind(udp.get(), address_.get(), address_.length()) != 0) return false;
    tcp_ = std::move(*tcp);
    udp_ = std::move(udp);
    udp_events_.emplace(udp_.get());
    tcp_events_.emplace(tcp_.get());
    return true;
  }

  void serve_udp() {
    std::string buffer(4096, '\0');
    while (!stopping_) {
      sockaddr_storage from{};
      socklen_t length = sizeof from;
      ssize_t size = ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0,
                                reinterpret_cast<sockaddr*>(&from), &length);
      if (size < 0) {
        udp_events_->wait_readable(Deadline::never());
        continue;
      }
      sys::Address client(reinterpret_cast<sockaddr*>(&from), length);
      client_ports.insert(client.port());
      group_.spawn([this, client, query = buffer.substr(0, static_cast<size_t>(size))] {
        while (held_)
          released_.wait(Deadline::never());
        auto reply = answer(query, true);
        if (reply) ::sendto(udp_.get(), reply->data(), reply->size(), 0, client.get(), client.length());
      });
    }
  }

  void serve_tcp() {
    while (!stopping_) {
      auto accepted = sys::accept_one(tcp_.get());
      if (!accepted || !*accepted) {
        tcp_events_->wait_readable(Deadline::never());
        continue;
      }
      group_.spawn([this, stream = io::Stream(std::move((*accepted)->fd))]() mutable {
        Deadline soon = Deadline::after(seconds(5));
        for (;;) {
          auto head = stream.read_exact(2, soon);
          if (!head) return;
          auto query = stream.read_exact(
              static_cast<uint8_t>((*head)[0]) * 256U + static_cast<uint8_t>((*head)[1]), soon);
          if (!query) return;
          auto reply = answer(*query, false);
          if (!reply) return;
          stream.write(u16(static_cast<unsigned>(reply->size())) + *reply);
          if (!stream.flush(soon)) return;
        }
      });
    }
  }

  bool exists(const std::string& name) const {
    for (const std::string& other : names_) {
      if (other == name || other.ends_with("." + name)) return true;
    }
    return false;
  }
  bool is_secure(const std::string& name) const {
    for (const std::string& zone : secure_) {
      if (name == zone || name.ends_with("." + zone)) return true;
    }
    return false;
  }

  std::optional<std::string> answer(const std::string& query, bool udp) {
    std::string name;
    size_t at = 12;
    for (; query[at] != 0; at += static_cast<uint8_t>(query[at]) + 1U) {
      if (!name.empty()) name += '.';
      name += lowercase(query.substr(at + 1, static_cast<uint8_t>(query[at])));
    }
    auto type =
        static_cast<Type>(static_cast<uint8_t>(query[at + 1]) * 256 + static_cast<uint8_t>(query[at + 2]));
    std::string question = query.substr(12, at + 5 - 12);
    bool edns = query[11] == 1;
    size_t room =
        edns ? static_cast<uint8_t>(query[at + 8]) * 256U + static_cast<uint8_t>(query[at + 9]) : 512U;
    std::string asked = name + " " + type_name(type);
    queries.push_back(asked + (udp ? "" : "/tcp"));

    if (auto bytes = raw_.find(asked); bytes != raw_.end()) return query.substr(0, 2) + bytes->second;
    auto fault = faults_.find(asked);
    if (fault == faults_.end()) fault = faults_.find(name);
    if (fault != faults_.end() && !fault->second.rcode) return std::nullopt;

    std::string body, authority, owner = name;
    unsigned answers = 0, flags = 0x8180;
    bool validated = is_secure(name);
    if (fault != faults_.end()) {
      flags |= static_cast<unsigned>(*fault->second.rcode);
    } else {
      for (int hops = 0; hops < 20; ++hops) {
        auto found = records_.find(key(owner, type));
        if (found != records_.end()) {
          for (const std::string& record : found->second)
            body += record;
          answers += static_cast<unsigned>(found->second.size());
          break;
        }
        auto alias = aliases_.find(owner);
        if (alias == aliases_.end()) break;
        body += wire_record(owner, Type::cname, 3600, wire_name(alias->second));
        ++answers;
        owner = alias->second;
        validated = validated && is_secure(owner);
        if (split_aliases) break;
      }
      if (answers == 0 && !exists(owner)) flags |= 3;
      if (answers == 0 && negative_ttl) {
        authority = wire_record("test", Type::soa, *negative_ttl,
                                wire_name("ns.test") + wire_name("hostmaster.test") + u32(1) + u32(3600) +
                                    u32(600) + u32(86400) + u32(*negative_ttl));
      }
    }
    if (validated && edns) flags |= 0x0020;
    std::string opt = edns ? std::string(1, '\0') + u16(41) + u16(4096) + u32(0x8000) + u16(0) : "";
    if (udp && 12 + question.size() + body.size() + authority.size() + opt.size() > room) {
      return query.substr(0, 2) + u16(flags | 0x0200) + u16(1) + u16(0) + u16(0) + u16(0) + question;
    }
    return query.substr(0, 2) + u16(flags) + u16(1) + u16(answers) + u16(authority.empty() ? 0 : 1) +
           u16(edns ? 1 : 0) + question + body + authority + opt;
  }

  sys::Address address_;
  sys::Fd tcp_, udp_;
  std::optional<io::FdEvents> udp_events_, tcp_events_;
  std::map<std::string, std::vector<std::string>> records_;
  std::map<std::string, std::string> aliases_, raw_;
  std::map<std::string, Fault> faults_;
  std::set<std::string> names_, secure_;
  bool stopping_ = false, held_ = false;
  io::Condition released_;
  io::TaskGroup group_;
};

/// Runs `body` in a fiber beside a server.
template <typename Body>
void with_server(Body body) {
  io::run_with_loop([&] {
    Server server;
    body(server);
    server.stop();
  });
}

}  // namespace postrider::dns::test

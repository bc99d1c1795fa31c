#include "dns/transport.h"

// Versions since 1.28 would rather have queries as objects; those of the distributions have no such thing.
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "dns/message.h"
#include "io/watch.h"
#include "log/log.h"

namespace postrider::dns {

namespace {

/// A channel keeps its sockets, hence its source ports, while it has queries. After this many it is replaced:
/// whoever wants to forge answers has to guess the port anew (RFC 5452 section 9.2).
constexpr size_t kQueriesPerChannel = 256;
constexpr Clock::duration kSweepAfter = seconds(1);

void start_library() {
  static int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) log::fatal("cannot initialize the resolver library: {}", ares_strerror(status));
}

/// The servers as the linked list that c-ares takes.
struct ServerList {
  explicit ServerList(const std::vector<sys::Address>& servers) : nodes(servers.size()) {
    for (size_t i = 0; i < servers.size(); ++i) {
      ares_addr_port_node& node = nodes[i];
      node = {};
      node.family = servers[i].family();
      node.udp_port = node.tcp_port = servers[i].port();
      memcpy(&node.addr, servers[i].bytes().data(), servers[i].bytes().size());
      if (i > 0) nodes[i - 1].next = &node;
    }
  }
  std::vector<ares_addr_port_node> nodes;
};

}  // namespace

class Transport::Channel {
 public:
  Channel(const ResolvConf& conf, bool edns);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(std::string_view query, Answered answered);
  size_t pending() const { return pending_; }
  /// No more queries should go this way.
  bool worn() const { return worn_ || sent_ >= kQueriesPerChannel; }

 private:
  struct Query {
    Channel* channel;
    Answered answered;
  };
  static void on_answer(void* argument, int status, int timeouts, unsigned char* data, int size);
  static void on_socket_state(void* argument, ares_socket_t fd, int readable, int writable);
  void process(ares_socket_t readable, ares_socket_t writable);
  void arm_timer();

  ares_channel channel_ = nullptr;
  size_t pending_ = 0, sent_ = 0;
  bool edns_, worn_ = false;
  std::map<ares_socket_t, io::FdWatch> sockets_;
  io::Timer timer_;
};

Transport::Channel::Channel(const ResolvConf& conf, bool edns)
    : edns_(edns), timer_([this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {
  start_library();
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  if (edns) options.flags |= ARES_FLAG_EDNS;
  if (conf.use_tcp) options.flags |= ARES_FLAG_USEVC;
  options.timeout = static_cast<int>(conf.timeout.count());
  options.tries = static_cast<int>(conf.attempts);
  options.ednspsz = kEdnsSize;
  options.sock_state_cb = on_socket_state;
  options.sock_state_cb_data = this;
  // Everything is set, so that the library reads no files: resolv.conf has been read already, and a sandbox
  // may not let it.
  in_addr placeholder{htonl(INADDR_LOOPBACK)};
  char lookups[] = "b";
  options.servers = &placeholder;
  options.nservers = 1;
  options.lookups = lookups;
  options.ndots = 1;
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
             ARES_OPT_SOCK_STATE_CB | ARES_OPT_SERVERS | ARES_OPT_LOOKUPS | ARES_OPT_NDOTS |
             ARES_OPT_DOMAINS | ARES_OPT_SORTLIST | (conf.rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE);
  int status = ares_init_options(&channel_, &options, mask);
  if (status == ARES_SUCCESS) {
    ServerList servers(conf.servers);
    status = ares_set_servers_ports(channel_, servers.nodes.data());
  }
  if (status != ARES_SUCCESS) log::fatal("cannot initialize the resolver library: {}", ares_strerror(status));
}

Transport::Channel::~Channel() {
  ares_destroy(channel_);
}

void Transport::Channel::send(std::string_view query, Answered answered) {
  ++sent_;
  ++pending_;
  auto* context = new Query{this, std::move(answered)};
  ares_send(channel_, reinterpret_cast<const unsigned char*>(query.data()), static_cast<int>(query.size()),
            on_answer, context);
  arm_timer();
}

void Transport::Channel::on_answer(void* argument, int status, int, unsigned char* data, int size) {
  std::unique_ptr<Query> query(static_cast<Query*>(argument));
  Channel& channel = *query->channel;
  --channel.pending_;
  // c-ares gives up EDNS0 for the whole channel once a server has failed to answer a query that used it, and
  // then takes larger answers for truncated ones.
  if (channel.edns_ && status != ARES_SUCCESS) channel.worn_ = true;
  if (status != ARES_SUCCESS) {
    query->answered(nullptr);
    return;
  }
  std::string_view message(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  query->answered(&message);
}

void Transport::Channel::on_socket_state(void* argument, ares_socket_t fd, int readable, int writable) {
  auto* self = static_cast<Channel*>(argument);
  if (!readable && !writable) {
    self->sockets_.erase(fd);
    return;
  }
  auto watch =
      self->sockets_
          .try_emplace(fd, fd,
                       [self, fd](bool can_read, bool can_write) {
                         self->process(can_read ? fd : ARES_SOCKET_BAD, can_write ? fd : ARES_SOCKET_BAD);
                       })
          .first;
  watch->second.want(readable != 0, writable != 0);
}

void Transport::Channel::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  arm_timer();
}

void Transport::Channel::arm_timer() {
  timeval tv{};
  if (ares_timeout(channel_, nullptr, &tv) == nullptr) {
    timer_.cancel();
    return;
  }
  // A little late rather than early: c-ares would find nothing to do and ask for another timer at once.
  timer_.start(seconds(tv.tv_sec) + std::chrono::microseconds(tv.tv_usec) + milliseconds(1));
}

Transport::Transport(ResolvConf conf) : conf_(std::move(conf)), sweep_timer_([this] { sweep(); }) {}

Transport::~Transport() = default;

size_t Transport::pending() const {
  size_t count = (plain_ ? plain_->pending() : 0) + (edns_ ? edns_->pending() : 0);
  for (const auto& channel : retired_)
    count += channel->pending();
  return count;
}

std::unique_ptr<Transport::Channel>& Transport::fresh_channel(bool edns) {
  std::unique_ptr<Channel>& channel = edns ? edns_ : plain_;
  if (channel && channel->worn()) retire(std::move(channel));
  if (!channel) channel = std::make_unique<Channel>(conf_, edns);
  return channel;
}

void Transport::send(std::string_view query, bool edns, Answered answered) {
  fresh_channel(edns)->send(query, std::move(answered));
}

/// Not deleted here: the caller may have been called by the channel.
void Transport::retire(std::unique_ptr<Channel> channel) {
  retired_.push_back(std::move(channel));
  if (!sweep_timer_.pending()) sweep_timer_.start(kSweepAfter);
}

void Transport::sweep() {
  std::erase_if(retired_, [](const auto& channel) { return channel->pending() == 0; });
  if (!retired_.empty()) sweep_timer_.start(kSweepAfter);
}

}  // namespace postrider::dns

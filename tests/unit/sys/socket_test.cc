#include "sys/socket.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "sys/tcp_buffers.h"

namespace postrider::sys {
namespace {

TEST(Address, ParsesAndPrintsIp) {
  EXPECT_EQ(Address::from_ip("192.0.2.1", 25)->ip(), "192.0.2.1");
  EXPECT_EQ(Address::from_ip("192.0.2.1", 25)->port(), 25);
  EXPECT_EQ(Address::from_ip("2001:DB8::1")->ip(), "2001:db8::1");
  EXPECT_FALSE(Address::from_ip("192.0.2").has_value());
  EXPECT_FALSE(Address::from_ip("[::1]").has_value());
}

TEST(Address, UnmapsIpv4InIpv6) {
  EXPECT_EQ(Address::from_ip("::ffff:192.0.2.7")->unmapped().ip(), "192.0.2.7");
  EXPECT_EQ(Address::from_ip("2001:db8::1")->unmapped().ip(), "2001:db8::1");
}

TEST(Address, Loopback) {
  EXPECT_TRUE(Address::from_ip("127.9.9.9")->is_loopback());
  EXPECT_TRUE(Address::from_ip("::1")->is_loopback());
  EXPECT_FALSE(Address::from_ip("192.0.2.1")->is_loopback());
}

TEST(Address, RefusesOverlongPath) {
  auto address = Address::from_path(std::string(200, 'x'));
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().kind, ErrorKind::limit);
}

TEST(Sockets, PassDescriptors) {
  SocketPair pair = make_socket_pair(SOCK_STREAM).value();
  Pipe pipe = make_pipe().value();
  ASSERT_TRUE(send_with_fd(pair.first.get(), "x", pipe.write.get()));
  char byte = 0;
  Fd received;
  ASSERT_EQ(receive_with_fd(pair.second.get(), &byte, 1, received).value(), 1U);
  ASSERT_TRUE(received);
  ASSERT_TRUE(write_all(received.get(), "through"));
  received.reset();
  pipe.write.reset();
  EXPECT_EQ(read_all(pipe.read.get(), 100).value(), "through");
  EXPECT_EQ(peer_user(pair.first.get()).value(), geteuid());
}

TEST(Socket, TcpBuffersHaveTheSizeOfTheProcess) {
  // Covers: tcp_windowsize
  auto size_of = [] {
    auto listener = listen_stream(*Address::from_ip("127.0.0.1", 0), 1);
    return send_buffer_size(listener->get()).value();
  };
  size_t usual = size_of();
  set_tcp_buffer_size(6'000);
  size_t small = size_of();
  set_tcp_buffer_size(0);
  EXPECT_LT(small, usual);
  EXPECT_EQ(size_of(), usual);
}

TEST(Socket, TellsItsSendBufferSize) {
  SocketPair pair = make_socket_pair(SOCK_STREAM).value();
  int size = 20'000;
  ASSERT_EQ(setsockopt(pair.first.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
  EXPECT_GE(send_buffer_size(pair.first.get()).value(), 20'000u);
  EXPECT_FALSE(send_buffer_size(-1));
}

}  // namespace
}  // namespace postrider::sys

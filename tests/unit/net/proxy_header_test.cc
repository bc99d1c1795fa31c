#include "net/proxy_header.h"

#include <gtest/gtest.h>

namespace postrider::net {
namespace {

std::string binary(char version_and_command, char family, std::string_view rest) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += version_and_command;
  out += family;
  out += static_cast<char>(rest.size() >> 8U);
  out += static_cast<char>(rest.size() & 255U);
  return out + std::string(rest);
}

const std::string kIpv4("\xc0\0\2\7\xc0\0\2\x19\x12\x67\0\x19", 12);

TEST(ProxyHeader, BothVersionsTellBothEnds) {
  for (const std::string& header :
       {std::string("PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\r\n"), binary(0x21, 0x11, kIpv4)}) {
    auto parsed = parse_proxy_header(header + "EHLO x\r\n");
    ASSERT_TRUE(parsed && *parsed);
    EXPECT_EQ((*parsed)->length, header.size());
    EXPECT_EQ((*parsed)->header.client.ip(), "192.0.2.7");
    EXPECT_EQ((*parsed)->header.client.port(), 4711);
    EXPECT_EQ((*parsed)->header.server.ip(), "192.0.2.25");
    EXPECT_EQ((*parsed)->header.server.port(), 25);
    // Bytes may come one by one.
    for (size_t i = 0; i < header.size(); ++i) {
      auto part = parse_proxy_header(header.substr(0, i));
      EXPECT_TRUE(part && !*part) << i;
    }
  }
  auto six = parse_proxy_header("PROXY TCP6 2001:db8::7 2001:db8::25 4711 25\r\n");
  ASSERT_TRUE(six && *six);
  EXPECT_EQ((*six)->header.client.ip(), "2001:db8::7");
}

TEST(ProxyHeader, WhatIsWrittenIsReadAgain) {
  for (auto [client, server] :
       {std::pair("192.0.2.7", "192.0.2.25"), std::pair("2001:db8::7", "2001:db8::25")}) {
    std::string line = proxy_line(*sys::Address::from_ip(client, 4711), *sys::Address::from_ip(server, 25));
    auto parsed = parse_proxy_header(line);
    ASSERT_TRUE(parsed && *parsed) << line;
    EXPECT_EQ((*parsed)->length, line.size());
    EXPECT_EQ((*parsed)->header.client, *sys::Address::from_ip(client, 4711));
    EXPECT_EQ((*parsed)->header.server, *sys::Address::from_ip(server, 25));
  }
}

TEST(ProxyHeader, HealthChecksHaveNoClient) {
  for (const std::string& header : {std::string("PROXY UNKNOWN\r\n"), binary(0x20, 0, "")}) {
    auto parsed = parse_proxy_header(header);
    ASSERT_TRUE(parsed && *parsed);
    EXPECT_TRUE((*parsed)->header.local);
  }
}

TEST(ProxyHeader, OtherInputIsRefused) {
  for (const std::string& header :
       {std::string("EHLO x\r\n"), std::string("PROXY TCP4 192.0.2.7 192.0.2.25 4711 25\n"),
        std::string("PROXY TCP4 192.0.2.7 192.0.2.25 4711\r\n"),
        std::string("PROXY TCP4 192.0.2.7 192.0.2.25 4711 99999\r\n"),
        std::string("PROXY TCP6 192.0.2.7 192.0.2.25 4711 25\r\n"), std::string("PROXY UDP4 a b 1 2\r\n"),
        std::string(200, 'x'), binary(0x11, 0x11, kIpv4), binary(0x22, 0x11, kIpv4),
        binary(0x21, 0x31, kIpv4), binary(0x21, 0x21, kIpv4), binary(0x21, 0x11, std::string(600, 'x'))}) {
    EXPECT_FALSE(parse_proxy_header(header)) << header;
  }
}

}  // namespace
}  // namespace postrider::net

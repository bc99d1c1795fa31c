#include "service/acceptor.h"

#include <gtest/gtest.h>

#include "io/fiber.h"
#include "io/stream.h"

namespace postrider::service {
namespace {

struct Listener {
  sys::Fd fd = sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 10).value();
  sys::Address address = sys::local_address(fd.get()).value();
};

/// The fibers that listen must have ended before the acceptor goes.
void end(Acceptor& acceptor) {
  acceptor.stop();
  io::sleep_for(milliseconds(1));
}

Deadline soon() {
  return Deadline::after(seconds(20));
}

TEST(Acceptor, TakesNoMoreClientsThanItsLimitAndSaysSo) {
  io::run_with_loop([] {
    Listener listener;
    io::Condition go;
    int inside = 0, most = 0;
    std::vector<Room> rooms;
    Acceptor acceptor({.max_clients = 2}, [&](Arrival) {
      most = std::max(most, ++inside);
      go.wait(soon());
      --inside;
    });
    acceptor.on_room([&](Room room) { rooms.push_back(room); });
    acceptor.on_idle([] {});
    acceptor.on_worn_out([] {});
    acceptor.add_listener(std::move(listener.fd), false);
    std::vector<io::Stream> clients;
    for (int i = 0; i < 3; ++i)
      clients.push_back(io::connect(listener.address, std::nullopt, soon()).value());
    while (inside < 2)
      io::sleep_for(milliseconds(1));
    io::sleep_for(milliseconds(5));
    EXPECT_EQ(inside, 2);
    EXPECT_EQ(rooms, (std::vector<Room>{Room::free, Room::full}));
    while (acceptor.active() > 0) {
      go.notify_all();
      io::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(most, 2);
    EXPECT_EQ(rooms.back(), Room::free);
    acceptor.stop();
    EXPECT_EQ(rooms.back(), Room::none);
    end(acceptor);
  });
}

TEST(Acceptor, IsWornOutAfterMaxUse) {
  io::run_with_loop([] {
    Listener listener;
    bool worn_out = false;
    int served = 0;
    Acceptor acceptor({.max_clients = 1, .max_use = 2}, [&](Arrival) { ++served; });
    Room room = Room::free;
    acceptor.on_room([&](Room r) { room = r; });
    acceptor.on_idle([] {});
    acceptor.on_worn_out([&] { worn_out = true; });
    acceptor.add_listener(std::move(listener.fd), false);
    std::vector<io::Stream> clients;
    for (int i = 0; i < 3; ++i)
      clients.push_back(io::connect(listener.address, std::nullopt, soon()).value());
    while (!worn_out)
      io::sleep_for(milliseconds(1));
    io::sleep_for(milliseconds(5));
    EXPECT_EQ(served, 2);
    EXPECT_EQ(room, Room::none);
    end(acceptor);
  });
}

TEST(Acceptor, ClosesItsListenersWhenItStopsWhoeverIsStillServed) {
  io::run_with_loop([] {
    Listener listener;
    io::Condition go;
    Acceptor acceptor({.max_clients = 5}, [&](Arrival) { go.wait(soon()); });
    acceptor.on_room([](Room) {});
    acceptor.on_idle([] {});
    acceptor.on_worn_out([] {});
    acceptor.add_listener(std::move(listener.fd), false);
    auto client = io::connect(listener.address, std::nullopt, soon());
    while (acceptor.active() == 0)
      io::sleep_for(milliseconds(1));
    acceptor.stop();
    io::yield();
    EXPECT_TRUE(sys::listen_stream(listener.address, 1));
    go.notify_all();
    while (acceptor.active() > 0)
      io::sleep_for(milliseconds(1));
    end(acceptor);
  });
}

TEST(Acceptor, LeavesWhenNobodyComes) {
  io::run_with_loop([] {
    Listener listener;
    bool worn_out = false;
    Acceptor acceptor({.max_clients = 1, .max_idle = seconds(1)}, [](Arrival) {});
    acceptor.on_room([](Room) {});
    acceptor.on_idle([] {});
    acceptor.on_worn_out([&] { worn_out = true; });
    acceptor.add_listener(std::move(listener.fd), false);
    Deadline limit = soon();
    while (!worn_out && !limit.passed())
      io::sleep_for(milliseconds(10));
    EXPECT_TRUE(worn_out);
    end(acceptor);
  });
}

/// A client that another service passes on, as it arrives.
std::optional<Arrival> pass(int fd, const std::optional<Ends>& ends) {
  std::optional<Arrival> arrived;
  auto pair = sys::make_socket_pair(SOCK_STREAM).value();
  io::TaskGroup group;
  group.spawn([&] {
    io::Stream carrier(std::move(pair.first));
    EXPECT_TRUE(pass_client(carrier, fd, ends, soon()));
  });
  arrived = receive_client(std::move(pair.second), soon());
  group.wait(soon());
  return arrived;
}

TEST(Passing, TheDescriptorTellsWhoTheClientIs) {
  io::run_with_loop([] {
    Listener listener;
    auto client = io::connect(listener.address, std::nullopt, soon()).value();
    auto accepted = sys::accept_one(listener.fd.get());
    auto arrived = pass((*accepted)->fd.get(), std::nullopt);
    ASSERT_TRUE(arrived);
    EXPECT_TRUE(arrived->passed);
    EXPECT_EQ(arrived->peer, (*accepted)->peer);
    EXPECT_FALSE(arrived->local);
    EXPECT_NE(arrived->fd.get(), (*accepted)->fd.get());
  });
}

TEST(Passing, TheClientOfALoadBalancerIsTold) {
  io::run_with_loop([] {
    Listener listener;
    auto client = io::connect(listener.address, std::nullopt, soon()).value();
    auto accepted = sys::accept_one(listener.fd.get());
    Ends ends{*sys::Address::from_ip("2001:db8::7", 4711), *sys::Address::from_ip("2001:db8::25", 25)};
    auto arrived = pass((*accepted)->fd.get(), ends);
    ASSERT_TRUE(arrived);
    EXPECT_EQ(arrived->peer, ends.client);
    EXPECT_EQ(arrived->local, ends.server);
  });
}

TEST(Passing, ACarrierWithoutAClientBringsNobody) {
  io::run_with_loop([] {
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    pair.first.reset();
    EXPECT_FALSE(receive_client(std::move(pair.second), soon()));
    auto silent = sys::make_socket_pair(SOCK_STREAM).value();
    EXPECT_FALSE(receive_client(std::move(silent.second), Deadline::after(milliseconds(10))));
  });
}

}  // namespace
}  // namespace postrider::service

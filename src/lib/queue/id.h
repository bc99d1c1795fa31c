// Queue ids: the names of queue files.
//
// A short id is the microseconds of the time of creation in at least five hexadecimal digits and the inode
// number in hexadecimal, as in C769213E; it may come again once its file is gone. A long id is the seconds in
// at least six and the microseconds in four base-52 digits, a "z", and the inode number in base 51, as in
// 4jWmBJ4C7Yz76; it never comes again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::queue {

/// Longest name of a queue file that is accepted.
inline constexpr size_t kMaxIdLength = 255;
/// The characters of a short id that stand for the time; no name of a message is shorter.
inline constexpr size_t kShortTimeDigits = 5;

struct CreationTime {
  int64_t seconds = 0;
  int microseconds = 0;

  static CreationTime now();
};

std::string short_id(CreationTime when, uint64_t inode);
std::string long_id(CreationTime when, uint64_t inode);

/// Letters, digits and '_', not too long: what may be a file in a queue directory. This covers the names in
/// flush/.
bool is_valid_id(std::string_view id);
/// Whether the id has the long form.
bool is_long_id(std::string_view id);
/// The inode number that an id names; nothing when the id is of neither form.
std::optional<uint64_t> inode_of_id(std::string_view id);
/// The id with the time of `id` for a file of another inode number, in the long form when `id` has it and
/// `keep_long`. `id` must have at least kShortTimeDigits characters.
std::string id_for_inode(std::string_view id, uint64_t inode, bool keep_long);
/// When a long id was made.
std::optional<CreationTime> time_of_long_id(std::string_view id);

/// The digits that name the subdirectories of a hashed queue, the first for the top level: of a short id the
/// id itself, of a long id its microseconds in hexadecimal.
std::string hash_digits(std::string_view id);

}  // namespace postrider::queue

// Whether this process treats text as UTF-8 (smtputf8_enable): one setting a process, made at its start.
#pragma once

namespace postrider {

/// With false, printable() lets US-ASCII pass only, and casefold() changes US-ASCII only. The default is
/// true.
void use_utf8_text(bool yes);
bool uses_utf8_text();

}  // namespace postrider

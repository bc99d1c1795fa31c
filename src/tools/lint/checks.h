// The checks, one file each. Each looks at the model and reports what it finds.
#pragma once

#include "tools/lint/finding.h"
#include "tools/lint/model.h"

namespace postrider::lint {

void check_names(const Model& model, Report& report);     ///< Parameters that nothing reads.
void check_values(const Model& model, Report& report);    ///< Values that are none.
void check_words(const Model& model, Report& report);     ///< Words that OpenSSL or SASL must know.
void check_readers(const Model& model, Report& report);   ///< Overrides on a service that does not read them.
void check_services(const Model& model, Report& report);  ///< Entries of master.cf.
void check_transports(const Model& model, Report& report);  ///< Services that parameters and tables name.
void check_content(const Model& model, Report& report);     ///< What tables for headers and bodies answer.
void check_authentication(const Model& model, Report& report);  ///< SASL, and who owns virtual mailboxes.
void check_logins(const Model& model, Report& report);          ///< Servers that users log in to; TLS there.
void check_clients(const Model& model, Report& report);         ///< TLS and logins of the clients.
void check_passwords(const Model& model, Report& report);       ///< Who can read them.
void check_chroot(const Model& model, Report& report);          ///< What a chrooted service cannot reach.
void check_tables(const Model& model, Report& report);          ///< Missing, old and malformed tables.
void check_restrictions(const Model& model,
                        Report& report);  ///< Lists of restrictions, and what access tables say.
void check_relaying(const Model& model, Report& report);  ///< Whether a stranger can relay.
void check_networks(const Model& model, Report& report);  ///< mynetworks.
void check_classes(const Model& model, Report& report);   ///< Domains in two address classes.
void check_tls(const Model& model, Report& report);       ///< Certificates and keys.

/// Whether a program reads a parameter; also for those that every program reads.
bool program_reads(std::string_view program, std::string_view parameter);

/// "-o name=a, b" gives the argument "b", which no program of the mail system takes: the service does not
/// start. Empty where there is none.
std::string_view left_over_argument(const Service& service);

/// All of them, and the reading of the files.
void lint(const std::string& directory, Report& report);

}  // namespace postrider::lint

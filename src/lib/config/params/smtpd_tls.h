// Handles of the parameters in smtpd_tls.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP smtpd_tls
#define PARAM_FILE "config/params/smtpd_tls.def"
#include "config/params/declare.inc"

// Handles of the parameters in smtpd_access.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP smtpd_access
#define PARAM_FILE "config/params/smtpd_access.def"
#include "config/params/declare.inc"

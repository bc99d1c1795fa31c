// Handles of the parameters in smtpd.def, where their meaning is told.
#pragma once

#include "config/param.h"

#define PARAM_GROUP smtpd
#define PARAM_FILE "config/params/smtpd.def"
#include "config/params/declare.inc"

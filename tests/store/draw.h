#pragma once

#include "tests/base/random.h"

namespace redraft::store {

using Draw = testing::Random;

}  // namespace redraft::store

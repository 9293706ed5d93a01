// Everything a program that embeds dwsep needs.
#pragma once

#include "dwsep/cpu.hpp"
#include "dwsep/layers.hpp"
#include "dwsep/network.hpp"
#include "dwsep/options.hpp"
#include "dwsep/status.hpp"
#include "dwsep/tensor.hpp"
#include "dwsep/threads.hpp"
#include "dwsep/types.hpp"

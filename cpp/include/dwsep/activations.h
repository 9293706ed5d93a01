/* The list of activations, from which all else about them is made: the enumerators of C and C++, the names in files and in Python.
   X(name, NAME, numbers): how many of `lo` and `hi` it takes. What is new goes to the end, because compiled programs hold the places. */
#ifndef DWSEP_ACTIVATIONS_H
#define DWSEP_ACTIVATIONS_H

/* clip: min(max(x, lo), hi); identity, relu and relu6 are clips
   leaky_relu: lo is the slope below zero
   gelu: the exact one, x * Phi(x) */
#define DWSEP_ACTIVATIONS(X)       \
  X(clip, CLIP, 2)                 \
  X(leaky_relu, LEAKY_RELU, 1)     \
  X(hard_swish, HARD_SWISH, 0)     \
  X(hard_sigmoid, HARD_SIGMOID, 0) \
  X(sigmoid, SIGMOID, 0)           \
  X(silu, SILU, 0)                 \
  X(tanh, TANH, 0)                 \
  X(gelu, GELU, 0)

#endif

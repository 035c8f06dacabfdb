// SPDX-License-Identifier: Apache-2.0
// A native Python module, as they come in wheels.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *none) {
  (void)self;
  (void)none;
  return PyLong_FromLong(42);
}
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", "", -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_native(void) {
  return PyModule_Create(&module);
}

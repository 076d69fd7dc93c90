"""Functions that the tests of process pools run in other processes."""

import ctypes
import os
import signal
import sys
import time


def double(value):
    return value * 2


def pid():
    return os.getpid()


def adc_modules():
    return sorted(name for name in sys.modules if name.partition(".")[0] == "adc")


def nice_and_group():
    return os.nice(0), os.getpgid(0)


def fail(text):
    raise ValueError(text)


def end():
    os._exit(3)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def crash():
    ctypes.string_at(0)


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.005)
    return True


def take(size):
    return len(bytearray(size))


def an_object():
    return time.struct_time(range(9))


def write(path):
    with open(path, "w") as file:
        file.write("x")
        file.flush()

"""A kernel that watches no more sockets (fs.epoll.max_user_watches)."""

import contextlib


class Epoll:
    """Registers `left` more sockets."""

    def __init__(self, epoll, left):
        self._epoll = epoll
        self._left = left

    def register(self, fd, events):
        if not self._left:
            raise OSError(28, "No space left on device")
        self._left -= 1
        self._epoll.register(fd, events)

    def __getattr__(self, name):
        return getattr(self._epoll, name)


@contextlib.contextmanager
def scarce_watches(reactor, after=0):
    """Have the kernel watch only `after` more sockets of a reactor meanwhile."""
    epoll = reactor._epoll
    reactor._epoll = Epoll(epoll, after)
    try:
        yield
    finally:
        reactor._epoll = epoll

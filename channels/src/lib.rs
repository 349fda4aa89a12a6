//! What listens and speaks: the hub and one folder per channel.

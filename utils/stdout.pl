#!/usr/bin/env perl

# Does what run.pl does, and shows the output of the command on stdout as well as in
# the log. It fails when the command fails, and when the log cannot be written.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use CmdLine;
use LocalRun;

my $usage = <<'END';
Usage: stdout.pl [options] [JOB=1:N] LOG command args...
e.g.:  stdout.pl exp/train.log python3 train.py
The options are those of run.pl.
END

exit LocalRun::run_all(CmdLine::parse($usage, @ARGV), 1);

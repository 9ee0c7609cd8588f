#!/usr/bin/env perl

# Runs a command, or the tasks of an array, on this machine. The command is given to
# bash; its output goes to the log, between a header and a footer with its exit
# status. Exit status: 0 if every task ended with 0, else 1, and 128+N after the
# signals INT, TERM and HUP, which end the tasks first.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use CmdLine;
use LocalRun;

my $usage = <<'END';
Usage: run.pl [options] [JOB=1:N] LOG command args...
e.g.:  run.pl --max-jobs-run 4 JOB=1:10 exp/log/sort.JOB.log \
         sort in.JOB \| uniq \> out.JOB
Options:
  --max-jobs-run N  so many tasks at a time (default: the number of processors, or of
                    GPUs with --gpu)
  --gpu N           the tasks use GPUs
  --num-threads N   written to the log
  --pick all|failed|incomplete|none
                    which tasks run again, judged by the logs of the last run: all,
                    also those that failed, or only those without an end (the last two)
Options for the batch systems (--mem 4G, --time 1:00:00, -l x=y, ...) are ignored.
END

exit LocalRun::run_all(CmdLine::parse($usage, @ARGV), 0);

#!/usr/bin/env perl

# Runs a command, or the tasks of an array, as one job of OpenPBS or PBS Professional,
# and waits for it. Exit status: 0 if every task ended with 0, else 1, and 128+N after
# the signals INT, TERM and HUP, which delete the job.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use BatchRun;
use CmdLine;
use Pbs;

my $usage = <<'END';
Usage: pbs.pl [options] [JOB=1:N] LOG command args...
e.g.:  pbs.pl --mem 4gb -q batch JOB=1:100 exp/log/feats.JOB.log compute-feats JOB
Options, turned into those of qsub by conf/pbs.conf:
  --config FILE      another config file
  --time HH:MM:SS, --mem 4gb, --num-threads N, --gpu N, --num-nodes N, --name X
  --max-jobs-run N   so many tasks of the array at a time
  --pick all|failed|incomplete|none
                     which tasks run again, as in run.pl
Options with one dash are passed to qsub with their value.
The job script is q/X.sh beside the log, PBS's own output is in q/X.log.
QUEUE_GRACE_SECONDS (70) is how late files of other hosts may appear here.
END

exit BatchRun::run_batch(Pbs->new, CmdLine::parse($usage, @ARGV),
    "$FindBin::RealBin/../conf");
